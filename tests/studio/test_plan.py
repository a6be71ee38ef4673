"""The plan of a training: what a page shows of it."""

import pytest

from convlens.data.sources import load_to_check
from convlens.language_choice import using
from convlens.studio.training.plan_process import _notes
from tests.studio.conftest import picture


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_does_not_say_again_that_classes_have_no_images(tmp_path, language):
    for name, seed in (("cat", 1), ("dog", 2), ("owl", None)):
        (tmp_path / name).mkdir()
        if seed is not None:
            (tmp_path / name / "1.png").write_bytes(picture(seed))
    (tmp_path / "beside.png").write_bytes(picture(3))
    with using(language):
        dataset = load_to_check(str(tmp_path))
        assert sum("owl" in note for note in dataset.notes) == 1
        shown = _notes(dataset, dataset.notes)
    assert len(shown) == len(dataset.notes) - 1
    assert not any("owl" in note for note in shown)
