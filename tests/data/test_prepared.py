"""What pictures suggest for their preprocessing, and what is recorded of those that cannot be read."""

import json

import pytest
from PIL import Image

from convlens.config import Config, DataConfig
from convlens.data.prepared import choose_preprocessing, prepare_data
from convlens.data.sources import load_data
from convlens.errors import DataError
from convlens.preprocess import Preprocessing


def folder(tmp_path, make, number=10):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(number):
            make(tmp_path / name / f"{i}.jpg", i)
    return load_data(tmp_path)


def noise(path, _=0):
    Image.effect_noise((40, 20), 50).save(path)


def test_pictures_turned_by_exif_give_their_upright_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    dataset = folder(tmp_path, lambda path, i: Image.new("L", (40, 20), i).save(path, exif=exif))
    assert choose_preprocessing(dataset, DataConfig()).shape == (40, 20, 1)


def test_mixed_orientations_have_no_common_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    made = {"exif": exif}
    dataset = folder(tmp_path, lambda path, i: Image.new("RGB", (40, 20), i).save(path, **(made if i % 2 else {})))
    assert choose_preprocessing(dataset, DataConfig()).shape == (64, 64, 3)


def test_colour_beyond_the_sample_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("convlens.data.prepared.LOOKED_AT", 2)  # the first and the last
    dataset = folder(tmp_path, lambda path, i: Image.new("RGB" if i == 5 else "L", (20, 20), i).save(path))
    prepared = prepare_data(dataset, Config())
    assert prepared.preprocessing.channels == 1
    assert any("2 pictures have colour" in note and "--channels rgb" in note for note in prepared.notes)


def test_all_unreadable_pictures_are_recorded_and_five_are_noted(tmp_path):
    dataset = folder(tmp_path, lambda path, i: path.touch() if i < 4 else noise(path))
    prepared = prepare_data(dataset, Config())
    recorded = json.loads(json.dumps(prepared.to_dict()))["unreadable"]
    assert set(recorded) == {str(tmp_path / name / f"{i}.jpg") for name in "ab" for i in range(4)}
    assert set(recorded.values()) == {"a picture must have content; found 0 bytes."}
    assert sum(note.startswith("skipped ") for note in prepared.notes) == 5


def test_a_class_that_cannot_be_read_is_refused(tmp_path):
    dataset = folder(tmp_path, lambda path, _: path.touch() if path.parent.name == "b" else noise(path))
    with pytest.raises(DataError, match=r"'b' \(0 of its 10 pictures can be read\)"):
        prepare_data(dataset, Config(), preprocessing=Preprocessing(16, 16, 1))
