import numpy as np
import pytest
from PIL import ExifTags, Image

from convlens.config import Config
from convlens.data.clusters import belonging_together, clusters_of, find_clusters
from convlens.data.duplicates import find_pairs
from convlens.data.prepared import prepare_data
from convlens.data.sources import load_data
from convlens.data.store import open_store
from convlens.preprocess import Preprocessing
from tests.data.photographs import COPIES, photograph

SEEN = Preprocessing(8, 8, 3)


def test_a_copy_links_two_groups():
    digests = np.array([[1], [2], [2], [3]], np.uint8)
    clusters = clusters_of(digests, np.array(["a", "a", "b", "b"]))
    assert len(set(clusters.tolist())) == 1


def write(folder, name, images, start=0, **options):
    (folder / name).mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images, start):
        image.save(folder / name / f"{number:02}.png", **options)


def clusters_in(folder):
    dataset = load_data(folder)
    store = open_store(dataset, SEEN)
    return dataset, find_clusters(dataset, store, find_pairs(store))


def film(seed, frames):
    """Return frames in which next to nothing changes."""
    first = photograph(seed)
    return [
        first.point(lambda level, plus=number: min(255, level + plus)) for number in range(frames)
    ]


def test_near_duplicates_and_flips_belong_together(tmp_path):
    first = photograph(0)
    copies = [COPIES["crop and jpeg"](first), first.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    write(tmp_path, "a", [first, *copies, *map(photograph, range(1, 5))])
    write(tmp_path, "b", map(photograph, range(5, 10)))
    _, clusters = clusters_in(tmp_path)
    assert clusters.numbers[0] == clusters.numbers[1] == clusters.numbers[2]
    assert len(np.unique(clusters.numbers)) == 10
    assert clusters.alike == ()


def test_what_a_camera_took_in_one_second_belongs_together(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = "EOS 5D"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:01 12:30:59"
    write(tmp_path, "a", map(photograph, range(5)))
    write(tmp_path, "b", map(photograph, range(5, 10)))
    write(tmp_path, "a", map(photograph, range(10, 12)), start=5, exif=exif)
    _, clusters = clusters_in(tmp_path)
    assert clusters.numbers[5] == clusters.numbers[6]
    assert len(np.unique(clusters.numbers)) == 11


def test_a_class_of_frames_that_are_all_alike_is_split_all_the_same_and_named(tmp_path):
    write(tmp_path, "film", film(0, 10))
    write(tmp_path, "others", [*map(photograph, range(1, 8)), *film(20, 3)])
    dataset, clusters = clusters_in(tmp_path)
    assert clusters.alike == (0,)
    assert len(np.unique(clusters.numbers[:10])) == 10
    assert len(np.unique(clusters.numbers[10:])) == 8
    (note,) = clusters.notes(dataset)
    assert "nearly all images of 'film' are alike" in note
    prepared = prepare_data(dataset, Config())
    assert all(prepared.counts(name)[0] for name in ("train", "val", "test"))
    assert note in prepared.notes


def test_what_belongs_together_is_told_even_where_it_cannot_stay_in_one_split(tmp_path):
    write(tmp_path, "film", film(0, 10))
    write(tmp_path, "others", map(photograph, range(1, 8)))
    dataset = load_data(tmp_path)
    store = open_store(dataset, SEEN)
    pairs = find_pairs(store)
    assert len(np.unique(find_clusters(dataset, store, pairs).numbers)) == 17
    assert len(np.unique(belonging_together(dataset, store, pairs))) == 8


def test_training_images_that_all_resemble_test_images_stay(tmp_path):
    frames = film(0, 8)
    write(tmp_path / "train", "film", frames[:5])
    write(tmp_path / "test", "film", frames[5:])
    write(tmp_path / "train", "others", map(photograph, range(1, 6)))
    write(tmp_path / "test", "others", map(photograph, range(6, 9)))
    dataset, clusters = clusters_in(tmp_path)
    assert clusters.alike == (0,)
    assert prepare_data(dataset, Config()).counts("train")[0] == 4


@pytest.mark.parametrize("audit", [True, False])
def test_near_duplicates_of_test_images_leave_the_training_unless_the_audit_is_off(tmp_path, audit):
    images = list(map(photograph, range(12)))
    write(tmp_path / "train", "a", images[:5])
    write(tmp_path / "test", "a", [COPIES["half"](images[2]), images[10]])
    write(tmp_path / "train", "b", images[5:10])
    write(tmp_path / "test", "b", images[11:])
    prepared = prepare_data(load_data(tmp_path), Config().replace(audit=audit, val=0.0))
    assert prepared.counts("train") == ([4, 5] if audit else [5, 5])
    told = [note for note in prepared.notes if "another of the source's splits" in note]
    expected = [(True, True)] if audit else []
    assert [("02.png and " in note, "test" in note) for note in told] == expected
