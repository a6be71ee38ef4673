"""What images suggest for their preprocessing, and what is recorded of unreadable ones."""

import json
from dataclasses import replace

import pytest
from PIL import Image

from convlens.config import Config, DataConfig
from convlens.data.digests import fingerprint, order_of
from convlens.data.input_shape import Demands, choose_preprocessing
from convlens.data.prepared import prepare_data
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


def test_images_turned_by_exif_give_their_upright_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    dataset = folder(tmp_path, lambda path, i: Image.new("L", (40, 20), i).save(path, exif=exif))
    assert choose_preprocessing(dataset, DataConfig()).shape == (40, 20, 1)


def test_mixed_orientations_have_no_common_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    made = {"exif": exif}
    dataset = folder(
        tmp_path,
        lambda path, i: Image.new("RGB", (40, 20), i).save(path, **(made if i % 2 else {})),
    )
    assert choose_preprocessing(dataset, DataConfig()).shape == (64, 64, 3)


def test_colour_beyond_the_sample_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("convlens.data.input_shape.SAMPLE", 2)  # the first and the last
    dataset = folder(
        tmp_path, lambda path, i: Image.new("RGB" if i == 5 else "L", (20, 20), i).save(path)
    )
    prepared = prepare_data(dataset, Config())
    assert prepared.preprocessing.channels == 1
    assert any(
        "images with colour were converted to grey (2)" in note and "--channels rgb" in note
        for note in prepared.notes
    )


def test_all_unreadable_images_are_recorded_and_five_are_noted(tmp_path):
    dataset = folder(tmp_path, lambda path, i: path.touch() if i < 4 else noise(path))
    prepared = prepare_data(dataset, Config())
    recorded = json.loads(json.dumps(prepared.to_dict()))["unreadable"]
    assert set(recorded) == {str(tmp_path / name / f"{i}.jpg") for name in "ab" for i in range(4)}
    assert set(recorded.values()) == {"an image must have content; found 0 bytes."}
    assert sum(note.startswith("skipped ") for note in prepared.notes) == 5


def test_the_fingerprint_does_not_depend_on_a_limit_or_on_what_can_be_read(tmp_path):
    dataset = folder(tmp_path, noise)
    (tmp_path / "a" / "3.jpg").write_bytes(b"no image")
    config = Config().replace(audit=False)
    whole = prepare_data(dataset, config)
    assert len(whole.store.problems) == 1
    assert prepare_data(dataset, config.replace(limit=10)).fingerprint == whole.fingerprint
    readable = replace(whole, store=replace(whole.store, problems={}))
    assert readable.fingerprint == whole.fingerprint
    assert readable.order == whole.order
    # A run of an earlier version has recorded what depends on it.
    labels = dataset.labels
    assert whole.has_fingerprint(fingerprint(whole.store.digests, labels, dataset.class_names))
    assert whole.has_order(order_of(whole.store.digests, labels))
    assert not whole.has_fingerprint(None)


def test_a_limit_that_draws_unreadable_images_of_a_class_only_is_named(tmp_path):
    dataset = folder(tmp_path, noise)
    for path in (tmp_path / "a").iterdir():
        path.write_bytes(path.name.encode())
    with pytest.raises(DataError, match=r"--limit has drawn, .*'a' \(0 of its 2 .*higher --limit"):
        prepare_data(dataset, Config().replace(limit=4))


def test_a_class_that_cannot_be_read_is_refused(tmp_path):
    dataset = folder(
        tmp_path, lambda path, _: path.touch() if path.parent.name == "b" else noise(path)
    )
    with pytest.raises(DataError, match=r"'b' \(0 of its 10 images can be read\)"):
        prepare_data(dataset, Config(), preprocessing=Preprocessing(16, 16, 1))


@pytest.mark.parametrize(
    ("least", "shape"), [(10, (20, 40)), (20, (20, 40)), (21, (21, 42)), (67, (67, 134))]
)
def test_images_too_small_for_the_network_are_enlarged_to_its_least_side_and_the_user_is_told(
    tmp_path, least, shape
):
    dataset = folder(tmp_path, noise)
    prepared = prepare_data(dataset, Config(), demands=Demands(least_side=least))
    assert prepared.preprocessing.shape == (*shape, 1)
    assert prepared.store.images.shape[1:] == (*shape, 1)
    said = [note for note in prepared.notes if "too small" in note]
    assert (prepared.enlarged_from, len(said)) == (
        (None, 0) if shape == (20, 40) else ((20, 40), 1)
    )
    for note in said:
        own = "at 20 x 40 the images are too small for the network"
        assert note == f"{own}; they are enlarged to {shape[0]} x {shape[1]}"


def test_a_size_that_the_user_gave_stays(tmp_path):
    prepared = prepare_data(
        folder(tmp_path, noise), Config().replace(size="24"), demands=Demands(least_side=67)
    )
    assert prepared.preprocessing.shape == (24, 24, 1)
    assert prepared.enlarged_from is None


def test_a_shape_that_the_network_demands_goes_first(tmp_path):
    demands = Demands(scale=1.0, shape=(12, None, 3), least_side=8)
    prepared = prepare_data(folder(tmp_path, noise), Config(), demands=demands)
    assert prepared.preprocessing.shape == (12, 40, 3)
    assert prepared.preprocessing.scale == 1.0
    assert prepared.enlarged_from is None


def test_images_of_many_sizes_are_brought_to_the_least_side_too(tmp_path):
    dataset = folder(tmp_path, lambda path, i: Image.new("L", (200 + i, 150), i).save(path))
    assert prepare_data(dataset, Config(), demands=Demands(least_side=75)).preprocessing.shape == (
        75,
        75,
        1,
    )


def test_what_is_recorded_gives_the_remarks_of_a_training_back(tmp_path):
    dataset = folder(tmp_path, noise)
    config = Config().replace(size="20x40")
    said = replace(
        prepare_data(dataset, config), enlarged_from=(2, 4), more_notes=("a remark of the network",)
    )
    facts = json.loads(json.dumps(said.to_dict()))
    again = prepare_data(dataset, config).as_recorded(facts)
    assert again.notes == said.notes
    assert "a remark of the network" in again.notes
    earlier = facts | {"audit": {"notes": ["few images"]}}
    del earlier["more_notes"], earlier["enlarged_from"]  # as versions before recorded it
    assert "few images" in prepare_data(dataset, config).as_recorded(earlier).notes
