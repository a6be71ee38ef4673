"""`convlens models`: the table, in terminals of several widths, and its page."""

from pathlib import Path

import pytest

from convlens.cli import main
from convlens.cli.models import models_page
from convlens.language_choice import using
from convlens.zoo.registry import list_models, model_info


@pytest.fixture
def listed(capsys, monkeypatch):
    def run(columns, *words):
        monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as stopped:
            main(["models", *words])
        assert stopped.value.code == 0
        return capsys.readouterr().out.splitlines()

    return run


@pytest.mark.parametrize("columns", [80, 100, 160])
def test_every_network_with_its_numbers_in_a_terminal_of(columns, listed):
    lines = listed(columns)
    assert max(map(len, lines)) <= columns
    rows = {line.split()[0]: line for line in lines if line and line.split()[0] in list_models()}
    assert sorted(rows) == list_models()
    numbers = rows["cifar_4conv"].removeprefix("cifar_4conv").split("  ")
    assert [cell.strip() for cell in numbers if cell.strip()][:6] == [
        "2019",
        "32x32x3",
        "2.17 M",
        "26.6 M",
        "4",
        "-",
    ]
    said = " ".join(" ".join(lines).split())
    for name in list_models():
        assert model_info(name).summary[:20] in said


def test_descriptions_stand_beside_where_there_is_room(listed):
    wide = next(line for line in listed(160) if line.startswith("cifar_4conv"))
    assert wide.endswith("Lecture 000: the layers of mnist_4conv for CIFAR-10.")
    narrow = listed(80)
    below = narrow[[line.split()[:1] for line in narrow].index(["cifar_4conv"]) + 1]
    assert below == "    Lecture 000: the layers of mnist_4conv for CIFAR-10."


def test_ours_come_first_then_the_lectures_then_papers_by_year(listed):
    names = [line.split()[0] for line in listed(160) if line[:1].strip()]
    names = [name for name in names if name in list_models()]
    assert set(names[:2]) == {"small_resnet", "custom_cnn"}
    lectures = [
        name for name in names if model_info(name).builder.__module__ == "convlens.zoo.lectures"
    ]
    assert names[2 : 2 + len(lectures)] == lectures
    years = [model_info(name).year for name in names[2 + len(lectures) :]]
    assert years == sorted(years)


def test_the_page_has_a_row_a_network_and_says_how_it_counts(listed):
    lines = listed(80, "--markdown")
    rows = [line for line in lines if line.startswith("| `")]
    assert len(rows) == len(list_models())
    assert rows[0].count("|") == 9
    row = next(line for line in rows if "`cifar_4conv`" in line)
    assert "| 2019 | 32 x 32 x 3 | 2,168,362 | 26,579,968 | 4 | - | Lecture 000" in row
    assert "one multiplication with its addition is one" in " ".join(lines)


@pytest.mark.parametrize(("name", "language"), [("models.md", "en"), ("models.zh-TW.md", "zh")])
def test_the_page_is_fresh(name, language):
    page = Path(__file__).parents[2] / "docs" / name
    with using(language):
        assert page.read_text(encoding="utf-8") == models_page(), "run `make docs`"
