"""Reports in folders of their own are whole, also after a process that was killed."""

import psutil
import pytest

from convlens.hidden import FORMER, make_hidden_folder
from convlens.report import results
from convlens.report.again import score_other
from convlens.report.finish import looks_so_far
from tests.report.conftest import copied
from tests.trainings import QUIET

pytestmark = pytest.mark.usefixtures("no_charts")


@pytest.fixture
def run(runs, tmp_path):
    return copied(runs[0], tmp_path)


def stop(*_, **__):
    raise KeyboardInterrupt


def test_an_evaluation_that_is_stopped_while_it_writes_leaves_no_report_in_part(
    run, digits, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(results, "write_report", stop)
        with pytest.raises(KeyboardInterrupt):
            score_other(run, run.classifier(), digits, QUIET)
    assert not (run.folder / "evaluations").exists()
    assert score_other(run, run.classifier(), digits, QUIET).name == digits.name


def of_a_dead_process(hidden):
    began = f"{psutil.Process().create_time():.0f}"
    return hidden.rename(hidden.with_name(hidden.name.replace(began, str(int(began) - 1000))))


def test_the_next_evaluation_removes_what_a_killed_one_has_left_and_nothing_else(run, digits):
    beside = run.folder / "evaluations"
    living = make_hidden_folder(beside / "report")
    killed = of_a_dead_process(make_hidden_folder(beside / "report"))
    for folder in (living, killed):
        (folder / "report.json").write_text('{"test_evaluations": 1}')
    folder = score_other(run, run.classifier(), digits, QUIET)
    assert {path.name for path in beside.iterdir()} == {folder.name, living.name}
    assert looks_so_far(run) == 0  # of what is there, nothing was scored on the test images


def test_files_of_others_beside_a_report_stay_when_it_is_written_again(run, digits):
    folder = score_other(run, run.classifier(), digits, QUIET)
    (folder / "notes.txt").write_text("mine")
    (folder / "notes.txt").chmod(0o444)
    (folder / "report.html").unlink()
    (folder / "plots" / "of another version.png").touch()
    assert score_other(run, run.classifier(), digits, QUIET) == folder
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "report.html").exists()
    assert (folder / "plots" / "confusion.png").exists()
    assert not (folder / "plots" / "of another version.png").exists()
    assert list((run.folder / "evaluations").iterdir()) == [folder]


def test_a_report_that_a_killed_process_was_replacing_is_found_again(run, digits):
    folder = score_other(run, run.classifier(), digits, QUIET)
    (folder / "notes.txt").write_text("mine")
    folder.rename(of_a_dead_process(make_hidden_folder(folder)) / FORMER)
    assert score_other(run, run.classifier(), digits, QUIET) == folder
    assert (folder / "notes.txt").read_text() == "mine"
    assert list((run.folder / "evaluations").iterdir()) == [folder]
