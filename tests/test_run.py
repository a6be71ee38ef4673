"""The folder of a run: its files, and how a stop is explained."""

import pytest

from convlens.data.correction_lists import Correction, write_list
from convlens.data.corrections import obey
from convlens.errors import RunError, StorageError
from convlens.run import Run
from convlens.training.network import choose_network
from tests.trainings import CONFIG, recording


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a folder in which `runs/` is empty, as the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_that_failed_before_its_configuration_was_written_leaves_its_name_free(here):
    run = Run.create(None, "digits")
    run.write("data.json", "{}")
    with pytest.raises(KeyboardInterrupt), run.removed_on_failure():
        raise KeyboardInterrupt
    assert Run.create(None, "digits") == run
    run.write("run.toml", "")
    with pytest.raises(StorageError), run.removed_on_failure():
        raise StorageError
    assert (run.folder / "run.toml").exists()


def test_how_to_resume_names_the_classifier_where_there_is_one(tmp_path):
    run = Run.create(tmp_path / "my run", "")
    command = f"To go on: convlens train --run '{run.folder}' --resume"
    assert run.how_to_resume() == command
    for kind in ("search", "compare"):
        run.write(f"{kind}.json", "{}")
        assert run.how_to_resume() == command.replace("train", kind)
        (run.folder / f"{kind}.json").unlink()
    run.classifier_path.write_bytes(b"")
    # A head on kept features has a classifier without any epoch.
    assert run.how_to_resume() == f"{run.classifier_path} holds the classifier so far. {command}"
    run.write_history([])
    assert run.how_to_resume() == f"{run.classifier_path} holds the classifier so far. {command}"
    run.write_history([{"epoch": 1}])
    assert run.how_to_resume() == f"{run.classifier_path} holds the best epoch so far. {command}"
    run.write("report.json", "{}")
    assert run.how_to_resume() == f"{run.folder} is finished; its result is there."


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    run = Run.create(tmp_path / "run", "")
    run.write("data.json", '{"before": 1}')

    def full(self, data):
        self.open("wb").write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "write_bytes", full)
    with pytest.raises(StorageError, match=r"data\.json.*No space left"):
        run.write("data.json", '{"after": 2}')
    assert run.data == {"before": 1}
    assert {path.name for path in run.folder.iterdir()} == {"state", "data.json"}


def test_a_damaged_or_missing_file_is_named(tmp_path):
    run = Run.create(tmp_path / "run", "")
    with pytest.raises(RunError, match=r"report\.json: this file of the run cannot be read"):
        _ = run.report
    for damaged in (b'{"title": ', b"\xff\xfe"):
        (run.folder / "report.json").write_bytes(damaged)
        with pytest.raises(RunError, match=r"report\.json: this file of the run cannot be read"):
            _ = run.report


def test_the_lists_of_a_run_are_copied_and_obeyed_again(digits, tmp_path):
    path = tmp_path / "list.csv"
    write_list(path, [Correction("0", "exclude"), Correction("1", "relabel", "7")])
    dataset = obey(digits, [path])
    prepared = choose_network(CONFIG).prepare(dataset, CONFIG, None)
    run = Run.create(tmp_path / "run", "")
    run.record(prepared, {"more": 1})
    content = path.read_bytes()
    path.unlink()
    assert [copy.read_bytes() for copy in run.lists] == [content]
    assert run.data["more"] == 1
    assert run.data["lists"][0]["exclude"] == 1
    assert prepared.summary()["lists"][0]["sha256"] == run.data["lists"][0]["sha256"]
    again = run.corrected(digits)
    assert run.corrected(again) is again
    own = run.divided(choose_network(CONFIG).prepare(again, CONFIG, None))
    assert own.splits.test.tolist() == prepared.splits.test.tolist()
    with pytest.raises(RunError, match="these are not the images of"):
        run.divided(choose_network(CONFIG).prepare(digits, CONFIG, None))


def test_a_run_that_goes_on_says_from_where(tmp_path):
    run = Run.create(tmp_path / "run", "")
    run.write("run.toml", CONFIG.to_toml())
    run.write_history([{"epoch": 1}])
    screen, said = recording()
    with run.resumed(screen) as say_where:
        assert said.getvalue() == ""
        say_where()
    assert said.getvalue() == f"{run.folder} goes on; done so far: epochs 1 of 3\n"
