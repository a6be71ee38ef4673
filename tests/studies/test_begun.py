"""Which searches and comparisons can be continued, by their files."""

import pytest

from convlens.config import Config
from convlens.data.sources import load_data
from convlens.errors import RunError, StorageError
from convlens.inventory import ALTERED, RESUMABLE, look
from convlens.run import Run
from convlens.run_folder import COMPARISON_FACTS
from convlens.screen import Screen
from convlens.studies import compare as compare_module
from convlens.studies.begun import find_comparison
from convlens.studies.compare import compare, resume_comparison

QUIET = Screen(quiet=True)


def test_a_comparison_is_found_beside_a_folder_of_images_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    comparison = Run.create("pets", "")
    comparison.write(COMPARISON_FACTS, "{}")
    assert find_comparison("pets") == comparison.folder


@pytest.mark.parametrize("name", ["compare.json", "custom_cnn/run.toml", "fashion_mlp/data.json"])
def test_a_comparison_whose_settings_were_changed_does_not_go_on(
    name, shapes, tmp_path, monkeypatch
):
    images = load_data(str(shapes))
    names = ["custom_cnn", "fashion_mlp"]
    config = Config().replace(size="32")
    with monkeypatch.context() as patch:
        patch.setattr(compare_module, "plan_networks", lambda *_: dict.fromkeys(names, config))
        patch.setattr(compare_module, "_carry_out", lambda *_: None)
        compare(images, names, config, run=tmp_path / "begun", screen=QUIET)
    assert look(tmp_path / "begun").state == RESUMABLE
    with (tmp_path / "begun" / name).open("a") as file:
        file.write("\n")
    assert look(tmp_path / "begun").state == ALTERED
    with pytest.raises(RunError, match=rf"{name}: .*this file was changed since"):
        resume_comparison(images, tmp_path / "begun", QUIET)


def test_a_comparison_that_cannot_begin_leaves_its_name_free(shapes, tmp_path, monkeypatch):
    def full(self, name, text):
        raise StorageError("the disk is full")

    names = ["custom_cnn", "fashion_mlp"]
    config = Config().replace(size="32")
    monkeypatch.setattr(Run, "write", full)
    monkeypatch.setattr(compare_module, "plan_networks", lambda *_: dict.fromkeys(names, config))
    with pytest.raises(StorageError):
        compare(load_data(str(shapes)), names, config, run=tmp_path / "none", screen=QUIET)
    assert not (tmp_path / "none").exists()
