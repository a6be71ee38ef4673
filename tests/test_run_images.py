"""Whether images are those of a run, and what is said where they are not."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from convlens import run_images
from convlens.config import Config
from convlens.data.sources import load_data
from convlens.errors import DataError, RunError
from convlens.run import Run
from convlens.run_images import IMAGES, record_images
from convlens.training.network import choose_network
from tests.trainings import CONFIG


def test_other_images_are_refused_and_its_own_get_its_split(digits, tmp_path):
    prepared = choose_network(CONFIG).prepare(digits, CONFIG, None)
    run = Run.create(tmp_path / "run", "")
    content = prepared.to_dict()
    drawn = content["drawn"]
    content["splits"] = {"train": drawn[5:7], "val": [drawn[3]], "test": drawn[1:3]}
    run.write("data.json", json.dumps(content))
    splits = run.divided(prepared).splits
    assert [list(part) for part in (splits.train, splits.val, splits.test)] == [[5, 6], [3], [1, 2]]
    run.write("data.json", json.dumps(content | {"fingerprint": "another"}))
    with pytest.raises(RunError, match=r"these are not the images of .*fingerprint differs"):
        run.divided(prepared)
    fewer = replace(digits, images=digits.images[:100], labels=digits.labels[:100])
    with pytest.raises(
        RunError, match=r"not the images of .*, which has 1,797; found 100\. Restore"
    ):
        run.drawn(fewer)


def test_the_same_images_in_another_order_are_refused(digits, tmp_path):
    prepared = choose_network(CONFIG).prepare(digits, CONFIG, None)
    run = Run.create(tmp_path / "run", "")
    run.record(prepared)
    assert np.array_equal(run.divided(prepared).splits.test, prepared.splits.test)
    order = np.random.default_rng(0).permutation(len(digits))
    dataset = replace(digits, images=digits.images[order], labels=digits.labels[order])
    turned = choose_network(CONFIG).prepare(dataset, CONFIG, None)
    assert turned.fingerprint == prepared.fingerprint
    with pytest.raises(RunError, match=r"these are the images of .* in another order"):
        run.divided(turned)
    earlier = {name: value for name, value in run.data.items() if name != "order"}
    run.write("data.json", json.dumps(earlier))
    run.divided(turned)


def record(run, prepared):
    """Record images as a training does."""
    record_images(run.folder, prepared)
    run.record(prepared)


def test_images_that_are_not_those_of_a_run_are_named(shapes, tmp_path):
    def images():
        return load_data(str(tmp_path / "images"))

    def prepared(config=CONFIG):
        return choose_network(config).prepare(images(), config, None)

    shutil.copytree(shapes, tmp_path / "images")
    bars, discs = tmp_path / "images" / "bar", tmp_path / "images" / "disc"
    run = Run.create(tmp_path / "run", "")
    record(run, prepared())
    limited = Run.create(tmp_path / "limited", "")
    record(limited, prepared(CONFIG.replace(limit=119)))
    for number in (10, 2, 30, 4):
        (bars / f"{number}.png").unlink()
    missing = r"Images that are missing: bar/2\.png, bar/4\.png, bar/10\.png and 1 more\."
    with pytest.raises(RunError, match=rf"found 116\. {missing} Restore them"):
        run.drawn(images())
    with pytest.raises(RunError, match=r"found 116\. Images that are missing: [^:]*$"):
        limited.drawn(images())
    for number in range(5):
        Image.new("RGB", (40, 40), (number, 0, 0)).save(bars / f"new {number}.png")
    (discs / "3.png").write_bytes((discs / "5.png").read_bytes() + b"more")
    (discs / "7.png").rename(bars / "of disc.png")
    (bars / "new 4.png").unlink()
    assert run.drawn(images()).size == 120
    with pytest.raises(RunError, match=missing) as caught:
        run.divided(prepared())
    said = str(caught.value)
    assert "Images that are new: bar/new 0.png, bar/new 1.png, bar/new 2.png and 1 more." in said
    assert "Images whose content has changed: disc/3.png." in said
    assert "Images that have another class: bar/of disc.png. Restore them, or give" in said
    (run.folder / "state" / "images.npz").unlink()  # as in a run of an earlier version
    with pytest.raises(RunError, match=r"evaluate --data\.$"):
        run.divided(prepared())


def test_images_that_were_renamed_are_named_where_this_has_changed_the_order(shapes, tmp_path):
    def prepared():
        dataset = load_data(str(tmp_path / "images"))
        return choose_network(CONFIG).prepare(dataset, CONFIG, None)

    shutil.copytree(shapes, tmp_path / "images")
    run = Run.create(tmp_path / "run", "")
    record(run, prepared())
    bars = tmp_path / "images" / "bar"
    for number in (1, 2):
        (bars / f"{number}.png").rename(bars / f"z{number}.png")
    renamed = r"another name: bar/z1\.png \(was bar/1\.png\), bar/z2\.png \(was bar/2\.png\)\."
    with pytest.raises(RunError, match=f"in another order.*{renamed} Restore the file names"):
        run.divided(prepared())
    (run.folder / "state" / "images.npz").unlink()  # as in a run of an earlier version
    with pytest.raises(RunError, match=r"in another order\. Restore .* of the images\.$"):
        run.divided(prepared())


def test_a_copy_of_another_image_that_is_gone_is_named(shapes, tmp_path):
    shutil.copytree(shapes, tmp_path / "images")
    copy = tmp_path / "images" / "bar" / "copy.png"
    shutil.copy(tmp_path / "images" / "bar" / "1.png", copy)
    run = Run.create(tmp_path / "run", "")
    record(run, choose_network(CONFIG).prepare(load_data(str(tmp_path / "images")), CONFIG, None))
    copy.unlink()
    with pytest.raises(RunError, match=r"Images that are missing: bar/copy\.png\. Restore"):
        run.drawn(load_data(str(tmp_path / "images")))


def test_no_image_is_read_to_name_those_that_are_missing(shapes, digits, tmp_path, monkeypatch):
    def refuse(path):
        raise AssertionError(path)

    shutil.copytree(shapes, tmp_path / "images")
    run = Run.create(tmp_path / "run", "")
    record(run, choose_network(CONFIG).prepare(load_data(str(tmp_path / "images")), CONFIG, None))
    (tmp_path / "images" / "bar" / "1.png").unlink()
    (tmp_path / "images" / "bar" / "2.png").rename(tmp_path / "images" / "disc" / "new.png")
    monkeypatch.setattr("convlens.data.digests.read_file", refuse)
    named = r"missing: bar/1\.png, bar/2\.png\. Images that are new: disc/new\.png\. Restore"
    with pytest.raises(RunError, match=named):
        run.drawn(load_data(str(tmp_path / "images")))
    with pytest.raises(RunError, match=r"evaluate --data\.$"):
        run.drawn(digits)  # the names of an array are numbers


def test_one_long_name_does_not_make_the_list_of_images_large(shapes, tmp_path):
    shutil.copytree(shapes, tmp_path / "images")
    long = tmp_path / "images" / "bar" / f"{'a' * 200}.png"
    (tmp_path / "images" / "bar" / "1.png").rename(long)
    dataset = load_data(str(tmp_path / "images"))
    record_images(tmp_path, choose_network(CONFIG).prepare(dataset, CONFIG, None))
    with np.load(tmp_path / IMAGES) as file:
        assert file["names"].nbytes < 20 * len(dataset)


def test_where_the_images_lay_is_said_of_files_and_of_no_known_data_set(monkeypatch):
    def fail(*_, **__):
        raise DataError("There is no network.")

    monkeypatch.setattr(run_images, "load_data", fail)
    for path, said in (("cifar10", ""), ("gone", " They lay there.")):
        with pytest.raises(DataError) as caught:
            run_images.load_images(path, Config(), [], "They lay there.")
        assert str(caught.value) == f"There is no network.{said}"
