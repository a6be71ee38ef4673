"""`convlens run list`, `show` and `verify` as a user types them."""

# ruff: noqa: F811 - fixtures that are imported
import json
import shutil
from pathlib import Path

from tests.cli.commands import run
from tests.cli.listed_runs import busy, runs, said  # noqa: F401 - fixtures


def test_without_runs_there_is_nothing_to_list(here, capsys):
    assert run("run", "list") == 0
    assert "0 bytes in 0 runs" in said(capsys)
    assert run("run", "list", "nowhere") == 5


def test_runs_are_listed_with_their_states(runs, capsys):
    assert run("run", "list") == 0
    printed = capsys.readouterr().out.splitlines()
    headings = " ".join(printed[3].split())
    assert headings == "run began network images done accuracy size state"
    lines = {line.split()[0]: line for line in printed[4:]}
    assert set(lines) == {"done", "half"}
    assert lines["done"].endswith("finished")
    assert lines["half"].endswith("can be resumed")
    assert "epochs 6 of 6" in lines["done"]
    assert "custom_cnn" in lines["done"]
    assert "120" in lines["done"]
    assert "validation" in lines["half"]


def test_the_list_is_json_too(runs, capsys):
    assert run("run", "list", "--format", "json") == 0
    found = {Path(one["folder"]).name: one for one in json.loads(capsys.readouterr().out)}
    assert found["done"]["state"] == "finished"
    assert found["half"]["resume"] == "convlens train --run runs/half --resume"
    assert found["done"]["size"] > 10_000


def test_a_run_is_shown_with_what_continues_it(runs, capsys):
    assert run("run", "show", "half") == 0
    printed = said(capsys)
    assert "next convlens train --run runs/half --resume" in printed
    assert "classifier.keras" in printed
    assert run("run", "show", "nothing") == 5
    assert "Runs here, newest first:" in said(capsys)


def test_a_run_that_was_killed_says_so(runs, busy, capsys):
    busy.kill()
    busy.wait()
    assert run("run", "show", "half") == 0
    assert "state killed; can be resumed" in said(capsys)


def test_files_are_verified(runs, capsys):
    assert run("run", "verify", "done") == 0
    assert "files by their checksums, 0 by their content" in said(capsys)
    assert run("run", "verify", "half") == 0
    assert "have no checksum: the run is not finished" in said(capsys)
    classifier = runs / "done" / "classifier.keras"
    classifier.write_bytes(classifier.read_bytes()[:-100])
    assert run("run", "verify", "done") == 5
    captured = capsys.readouterr()
    assert "classifier.keras (differs from its checksum)" in captured.err
    assert captured.err.count("\n") == 1
    assert run("run", "verify", "done", "--format", "json") == 5
    found = {one["name"]: one["verdict"] for one in json.loads(capsys.readouterr().out)}
    assert found["classifier.keras"] == "differs from its checksum"


def test_settings_that_were_changed_are_told_and_the_run_does_not_go_on(runs, capsys):
    shutil.copy(runs / "done" / "SHA256SUMS", runs / "half")
    assert run("run", "show", "half") == 0
    assert "--resume" in said(capsys)
    with (runs / "half" / "run.toml").open("a") as settings:
        settings.write("\n")
    assert run("run", "show", "half") == 0
    printed = said(capsys)
    assert "runs/half/run.toml: the settings and the split of a run must stay" in printed
    assert "can be resumed" not in printed
    assert "--resume" not in printed
    assert run("run", "show", "half", "--format", "json") == 0
    entry = json.loads(capsys.readouterr().out)
    assert "run.toml" in entry["problems"][0]
    assert (entry["state"], entry["resume"]) == ("settings or split changed", "")
    assert "next convlens run verify runs/half next convlens run remove runs/half" in printed
    assert run("run", "list") == 0
    printed = said(capsys)
    assert "can be resumed" not in printed
    assert "damaged" not in printed
    assert "settings or split changed" in printed
    assert run("train", "--run", "half", "--resume") == 5
    printed = said(capsys)
    assert "this file was changed since" in printed
    assert "What was changed" not in printed


def test_the_settings_that_were_changed_are_named_where_the_classifier_knows_them(runs, capsys):
    shutil.copy(runs / "done" / "SHA256SUMS", runs / "half")
    settings = runs / "half" / "run.toml"
    text = settings.read_text()
    settings.write_text(text.replace("epochs = 6", "epochs = 9").replace("seed = 0", "seed = 1"))
    assert run("train", "--run", "half", "--resume") == 5
    expected = "What was changed: epochs (6 before, 9 now), seed (0 before, 1 now)."
    assert expected in said(capsys)
    settings.write_text("[training]\nepochs = -1\n")
    assert run("run", "show", "half") == 0
    printed = said(capsys)
    assert "damaged" in printed
    assert "What was changed" not in printed


def test_a_run_that_is_trained_is_neither_resumed_nor_verified(runs, busy, capsys):
    assert run("train", "--run", "half", "--resume") == 5
    assert f"process {busy.pid} (" in said(capsys)
    assert run("run", "verify", "half") == 5
    assert run("run", "list") == 0
    assert "in training" in said(capsys)


def test_the_folds_that_were_scored_are_named_in_the_chosen_language(runs, capsys):
    file = runs / "done" / "report.json"
    report = json.loads(file.read_text()) | {"images_seen": "4 held-out folds"}
    file.write_text(json.dumps(report))
    assert run("run", "list") == 0
    assert "4 held-out folds" in said(capsys)
    assert run("run", "list", "--language", "zh") == 0
    assert "4 折交叉驗證" in said(capsys)


def test_one_accuracy_of_several_trainings_says_whose_it_is(runs, capsys):
    ranking = [{"test": {"value": 0.95}}, {"test": {"value": 0.9}}]
    facts = {
        "compare.json": {"models": ["a", "b"], "ranking": ranking},
        "search.json": {"trials": 2, "best": 0, "metrics": {"accuracy": {"value": 0.85}}},
        "data.json": {"few": 5, "draws": 3},
    }
    shutil.copytree(runs / "done", runs / "compare" / "a")
    for name, content in facts.items():
        folder = runs / name.removesuffix(".json")
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
        shutil.copy(runs / "done" / "run.toml", folder)
    report = {"metrics": {"accuracy": {"value": 0.75}}}
    (runs / "data" / "report.json").write_text(json.dumps(report))
    assert run("run", "list") == 0
    printed = said(capsys)
    assert "95.0 %, best network" in printed
    assert "85.0 %, best trial" in printed
    assert "75.0 %, mean of the draws" in printed


def test_a_file_that_holds_no_object_is_a_damaged_run_and_hides_no_other(runs, capsys):
    for name, content in (("data.json", "[]"), ("report.json", "3")):
        (runs / "done" / name).write_text(content)
    assert run("run", "list") == 0
    assert "half" in capsys.readouterr().out
    assert run("run", "show", "done") == 0
    printed = said(capsys)
    assert "state damaged" in printed
    assert "data.json: this file of the run cannot be read; it holds no JSON object" in printed
    assert "next convlens run verify runs/done next convlens run remove runs/done" in printed


def test_what_is_wrong_with_damaged_settings_is_said_wherever_a_run_is_named(runs, capsys):
    shutil.copy(runs / "done" / "SHA256SUMS", runs / "half")
    (runs / "half" / "run.toml").write_text("[training]\nepochs = = 3\n")
    for command in (("list",), ("show", "half")):
        assert run("run", *command) == 0
        assert "line 2, column 10 is not; found: epochs = = 3." in said(capsys)
    assert run("train", "--run", "half", "--resume") == 5
    printed = said(capsys)
    assert "run.toml: a configuration must be TOML; line 2, column 10 is not" in printed
    assert "Restore the file." in printed
