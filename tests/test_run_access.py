"""Which runs may be begun, opened and continued, and under which names."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from convlens import run_access
from convlens.config import Config
from convlens.errors import RunError
from convlens.run import Run


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a folder in which `runs/` is empty, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(name, age=0):
    """Create a run with its configuration, written `age` seconds ago."""
    run = Run.create(name, "")
    run.write("run.toml", Config().to_toml())
    moment = 1_700_000_000 - age
    os.utime(run.folder / "run.toml", (moment, moment))
    return run


def test_a_default_name_that_is_taken_gets_a_number(here):
    names = []
    for _ in range(3):
        run = Run.create(None, "cats & dogs-resnet18")
        run.write("run.toml", "")
        names.append(str(run.folder))
    assert names == [f"runs/cats___dogs-resnet18{end}" for end in ("", "-2", "-3")]


@pytest.mark.parametrize("name", ["..", ".", "missing/../.."])
def test_a_name_that_leads_upwards_is_a_path_and_no_name_below_the_runs(name, here):
    (here / "mine").touch()
    with pytest.raises(RunError, match="something else lies here"):
        Run.create(name, "")
    assert [path.name for path in here.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["-dash", "runs/-dash", "--epochs"])
def test_a_name_that_commands_would_read_as_an_option_is_refused(name, here):
    with pytest.raises(RunError, match="must not begin with a dash, as commands would read it"):
        Run.create(name, "")
    assert not [*here.iterdir()]
    assert Run.create(None, "-photos-resnet18").folder == Path("runs/photos-resnet18")


def test_a_run_that_begins_just_now_keeps_its_folder(here):
    assert Run.create(None, "digits") != Run.create(None, "digits")
    Run.create("mine", "")
    with pytest.raises(RunError, match=r"is just being started, or was killed before"):
        Run.create("mine", "")


def at_once(number, work):
    """Return what `work` returned or raised in as many threads, which begin together."""
    barrier = threading.Barrier(number)

    def one(_):
        barrier.wait()
        try:
            return work()
        except RunError as error:
            return error

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


def test_runs_created_at_once_have_different_folders(here):
    runs = at_once(16, lambda: Run.create(None, "digits"))
    assert len({run.folder for run in runs}) == 16


def test_a_name_asked_for_at_once_is_given_once(here, monkeypatch):
    monkeypatch.setattr(run_access, "refuse_taken", lambda folder: None)  # all have looked before
    found = at_once(16, lambda: Run.create("mine", ""))
    assert sum(isinstance(one, Run) for one in found) == 1


def test_an_empty_folder_may_become_a_run(here):
    (here / "runs" / "mine").mkdir(parents=True)
    assert Run.create("mine", "").folder.samefile(here / "runs" / "mine")


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ({"notes.txt": ""}, r"something else lies here\. Use another --run name\.$"),
        ({"run.toml": ""}, "continue this one: convlens train --run runs/mine --resume$"),
        (
            {"run.toml": "", "search.json": "{}"},
            "continue this one: convlens search --run runs/mine --resume$",
        ),
        ({"compare.json": "{}"}, "continue this one: convlens compare --run runs/mine --resume$"),
        ({"run.toml": "", "report.json": ""}, "remove it: convlens run remove runs/mine$"),
        ({"run.toml": "", "search.json": '{"best": 1}'}, "this one is finished, so it cannot be"),
        ({"compare.json": '{"ranking": []}'}, "this one is finished, so it cannot be continued"),
    ],
)
def test_a_folder_with_content_is_not_overwritten_and_the_advice_can_be_followed(
    here, files, advice
):
    run = Run.create("mine", "")
    for name, content in files.items():
        run.write(name, content)
    said = rf"^runs/mine: a new run needs a folder that does not exist yet.*{advice}"
    with pytest.raises(RunError, match=said):
        Run.create("mine", "")


STUDIES = [
    ("search.json", "{}", "search"),
    ("compare.json", "{}", "compare"),
    ("data.json", '{"folds": 3}', "train"),
    ("data.json", '{"few": 5}', "train"),
]


@pytest.mark.parametrize(("file", "content", "command"), STUDIES)
def test_a_part_of_a_study_is_continued_with_the_whole(here, file, content, command, monkeypatch):
    run = made("mine")
    part = made("runs/mine/part").folder
    run_access.refuse_study_part(run.folder)
    run_access.refuse_study_part(part)
    run.write(file, content)
    with pytest.raises(RunError, match=f"convlens {command} --run runs/mine --resume$"):
        run_access.refuse_study_part(part)
    assert f"convlens {command} --run runs/mine --resume" in Run(part).how_to_resume()
    monkeypatch.chdir(part)
    with pytest.raises(RunError, match=rf"convlens {command} --run {here}/runs/mine --resume$"):
        run_access.refuse_study_part(Path())


def test_a_search_is_continued_by_its_own_command(here):
    run = made("mine")
    run.write("search.json", "{}")
    with pytest.raises(RunError, match=r"convlens search --run runs/mine --resume$"):
        run_access.refuse_study_part(run.folder)


def test_a_part_of_a_finished_study_can_only_be_trained_further(here):
    made("mine").write("search.json", '{"best": 1}')
    part = made("runs/mine/trial-000").folder
    with pytest.raises(
        RunError, match=r"part of runs/mine, which is finished\. .*--from runs/mine/"
    ):
        run_access.refuse_study_part(part)
    with pytest.raises(RunError, match=r"remove it: convlens run remove runs/mine/trial-000$"):
        Run.create(part, "")


@pytest.mark.parametrize(("file", "content", "command"), STUDIES)
def test_the_name_of_a_part_is_taken_by_the_whole_study(here, file, content, command):
    run = made("mine")
    run.write(file, content)
    part = made("runs/mine/part").folder
    advice = f"part of runs/mine.* continue the whole: convlens {command} --run runs/mine --resume$"
    with pytest.raises(RunError, match=advice):
        Run.create(part, "")
    with run.locked(), pytest.raises(RunError, match=r"runs/mine/part: .* in training now"):
        Run.create(part, "")


def test_a_run_in_training_is_not_said_to_be_one_that_can_be_continued(here):
    said = r"is in training now\. Use another --run name\.$"
    with made("mine").locked(), pytest.raises(RunError, match=said):
        Run.create("mine", "")


def test_a_file_is_no_place_for_a_run(here):
    (here / "file").write_text("")
    with pytest.raises(RunError, match="does not exist yet"):
        Run.refuse_taken(here / "file")


def test_an_unknown_name_lists_the_newest_runs(here):
    for number in range(7):
        made(f"run{number}", age=number)
    with pytest.raises(RunError, match=r"newest first: run0, run1, run2, run3, run4 and 2 more\.$"):
        Run.open("other")
    assert Run.open("run3").folder == Run.open("runs/run3").folder


def test_a_name_that_is_not_utf_8_is_found_by_itself_and_as_it_is_printed(here):
    run = made("l\udce4uf")
    assert Run.open("l\udce4uf") == Run.open(r"l\udce4uf") == run
    assert Run.open(r"runs/l\udce4uf") == run


def test_without_any_run_none_is_listed(here):
    with pytest.raises(RunError, match=r"with run\.toml inside\.$"):
        Run.open("other")


@pytest.mark.parametrize("kind", ["search", "compare"])
def test_a_study_is_no_run_and_names_those_inside(here, kind):
    folder = here / "runs" / "study"
    folder.mkdir(parents=True)
    (folder / f"{kind}.json").write_text("{}")
    said = f"made by `convlens {kind}` and is no run itself; "
    with pytest.raises(RunError, match=said + "no run inside has a classifier"):
        Run.find_classifier("study")
    inner = made("runs/study/best")
    inner.classifier_path.write_bytes(b"")
    with pytest.raises(RunError, match=said + r"its runs .*newest first: runs/study/best\."):
        Run.find_classifier("study")
    assert Run.find_classifier("runs/study/best") == inner.classifier_path
    assert Run.find_classifier(inner.classifier_path) == inner.classifier_path


def test_a_run_is_found_beside_a_folder_of_images_of_its_name(here):
    """As after `convlens train pets --run pets`."""
    (here / "pets" / "cat").mkdir(parents=True)
    run = made("pets")
    run.classifier_path.write_bytes(b"")
    assert Run.open("pets") == run
    assert Run.find_classifier("pets") == run.classifier_path
    assert Run.open(here / "runs" / "pets").folder.samefile(run.folder)
    with pytest.raises(RunError, match=r"^other: a run is a folder"):
        Run.open("other")


def test_a_search_that_was_killed_before_it_could_be_continued_is_said_to_be_that(here):
    Run.create("mine", "").write("search.json", "{}")
    with pytest.raises(RunError, match=r"was killed before it could be continued.* start again"):
        Run.open("mine")
