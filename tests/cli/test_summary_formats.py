"""The rows of `convlens summary`: in terminals of several widths, and for other programs."""

import csv
import io
import json

import pytest

from convlens.anatomy.summary import layer_table
from convlens.cli.summary_formats import (
    PRINTERS,
    layer_facts,
    print_csv,
    print_markdown,
    print_table,
    stage_facts,
)
from convlens.language_choice import using
from convlens.zoo.create import create_model


@pytest.fixture(scope="module")
def lecture():
    return layer_table(create_model("cifar_4conv"))


@pytest.fixture(scope="module")
def resnet():
    return layer_table(create_model("resnet20"))


@pytest.fixture
def printed(capsys, monkeypatch):
    """Return the lines of a table in a terminal of so many columns."""

    def run(facts, columns):
        monkeypatch.setenv("COLUMNS", str(columns))
        print_table(facts)
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    return run


def test_csv(lecture, capsys):
    print_csv(layer_facts(lecture))
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["layer"] for row in rows][:3] == ["pixels", "conv1", "conv2"]
    assert rows[2] == {
        "layer": "conv2", "kind": "Conv2D", "output": "32x32x32", "parameters": "9248",
        "% of parameters": "0.43", "multiply-adds": "9437184", "% of multiply-adds": "35.5",
        "sees": "5", "stride": "1",
    }  # fmt: skip


def test_json(lecture, capsys):
    PRINTERS["json"](stage_facts(lecture))
    data = json.loads(capsys.readouterr().out)
    assert data[2]["what works on it"] == "max pool 2x2 /2\n2 × conv 3x3 64"
    assert sum(stage["multiply-adds"] for stage in data) == 26_579_968


def test_markdown(lecture, capsys):
    print_markdown(stage_facts(lecture))
    page = capsys.readouterr().out.splitlines()
    assert page[1] == "|---|---|---:|---:|---:|---:|---:|"
    assert page[-1].endswith(" | all |")
    assert page[4].startswith("| 16x16x64 | max pool 2x2 /2<br>2 × conv 3x3 64 | 55,424 |")
    print_markdown([{"layer": "a|b", "parameters": 1000}])
    assert capsys.readouterr().out.splitlines()[2] == "| a\\|b | 1,000 |"


def test_a_layer_that_sees_all_is_said_in_chinese_but_not_for_programs(lecture, capsys):
    facts = stage_facts(lecture)
    with using("zh"):
        print_markdown(facts)
        assert capsys.readouterr().out.splitlines()[-1].endswith(" | 全部 |")
        print_csv(facts)
    assert capsys.readouterr().out.splitlines()[-1].endswith(",all")


@pytest.mark.parametrize("columns", [60, 80, 92, 100, 200])
def test_a_table_fits_the_terminal_and_cuts_no_number(printed, resnet, columns):
    lines = printed(layer_facts(resnet), columns)
    assert max(len(line) for line in lines if not line.startswith("in a wider")) <= columns
    words = [word for line in lines for word in line.split()]
    numbers = [f"{row.params:,}" for row in resnet if row.params >= 1000]
    assert [word for word in words if word in numbers] == numbers
    side, _ = [row.receptive_field for row in resnet if row.receptive_field][-1]
    assert str(side) in words
    assert ("stride" in lines[0]) == (columns >= 92)
    assert lines[-1].startswith("in a wider terminal also: stride") == (columns < 92)


def test_names_are_shortened_in_the_terminal_only(printed, resnet):
    facts = layer_facts(resnet)
    assert facts[2]["kind"] == "BatchNormalization"
    assert "BatchNorm" in printed(facts, 200)[3].split()


def test_a_table_that_cannot_fit_is_wider_than_the_terminal(printed, lecture):
    lines = printed(layer_facts(lecture), 30)
    assert [line for line in lines if "2,097,664" in line]
    assert lines[-1] == (
        "in a wider terminal also: stride, % of parameters, % of multiply-adds, kind"
    )
