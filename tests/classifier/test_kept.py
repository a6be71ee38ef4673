"""The network of a classifier that was converted and kept answers as the classifier does."""

import json
import subprocess
import sys
from importlib.util import find_spec

import keras
import numpy as np
import pytest

from convlens.classifier import converted, on_openvino
from convlens.classifier.archive import read_facts
from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.classifier.converted import compile_logits
from convlens.classifier.kept import VARIABLE, keep, keep_if_asked, open_kept
from convlens.classifier.network_files import place_of
from convlens.config import Config
from convlens.data.cache_size import cache_entries, trim_cache
from convlens.errors import BackendError, ClassifierError
from convlens.preprocess import Preprocessing
from convlens.zoo.create import build

# This is not importorskip, since an import of OpenVINO by anybody but convlens sends telemetry.
pytestmark = pytest.mark.skipif(
    not find_spec("openvino"), reason="needs the extra convlens[openvino]"
)


def tiny_classifier(seed=1) -> Classifier:
    """Return a calibrated classifier of grey images of 8 x 8, with random weights."""
    keras.utils.set_random_seed(seed)
    tiny = Config().replace(model="custom_cnn", filters=(4,), dense=()).model
    seen = Preprocessing(8, 8, 1)
    model = assemble(lambda x: build("custom_cnn", x, 3, config=tiny), seen, 3, "custom_cnn")
    classifier = Classifier.from_logits(model, ("a", "b", "c"), seen)
    return classifier.recalibrated(0.1, 0.5)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(1).integers(0, 256, (5, 8, 8, 1), np.uint8)


@pytest.fixture
def path(tmp_path, monkeypatch, images):
    """Return the file of a classifier with examples, whose network was not kept yet."""
    monkeypatch.setenv("CONVLENS_CACHE", str(tmp_path / "cache"))
    classifier = tiny_classifier()
    classifier.examples = images[:2]
    classifier.save(tmp_path / "classifier.keras")
    return tmp_path / "classifier.keras"


def test_it_is_as_accurate_as_the_classifier_and_needs_no_keras(path, images):
    classifier = Classifier.load(path)
    assert open_kept(path) is None
    keep(classifier, path)
    found = open_kept(path)
    expected = classifier.probabilities(images)
    np.testing.assert_allclose(found.probabilities(images), expected, rtol=0, atol=1e-6)
    assert found.class_names == classifier.class_names
    assert found.threshold == classifier.threshold
    assert found.probabilities(images[:0]).shape == (0, len(classifier.class_names))
    program = (
        "import json, sys, numpy, pathlib; from convlens.classifier.kept import open_kept;"
        "kept = open_kept(pathlib.Path(sys.argv[1]));"
        "rows = kept.probabilities(numpy.load(sys.argv[2]));"
        "print(json.dumps([rows.tolist(), sorted({'keras', 'tensorflow'} & set(sys.modules))]))"
    )
    np.save(path.with_name("images.npy"), images)
    words = [sys.executable, "-P", "-c", program, str(path), str(path.with_name("images.npy"))]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rows, engines = json.loads(said)
    assert engines == []
    np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-6)


def test_a_file_with_other_weights_has_a_network_of_its_own(path):
    keep(Classifier.load(path), path)
    tiny_classifier(seed=2).save(path)
    assert open_kept(path) is None
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ClassifierError):
        open_kept(path)


@pytest.mark.parametrize("damage", ["cut", "missing", "other"])
def test_a_damaged_network_is_not_used(path, damage):
    keep(Classifier.load(path), path)
    network = place_of(read_facts(path)["checksum"]).with_suffix(".bin")
    weights = network.read_bytes()
    if damage == "cut":
        network.write_bytes(weights[: len(weights) // 2])
    elif damage == "missing":
        network.unlink()
    else:  # the examples of the file get other probabilities
        network.write_bytes(np.frombuffer(weights, np.float32)[::-1].tobytes())
    assert open_kept(path) is None
    assert not network.exists()
    assert not network.with_suffix(".xml").exists()
    keep(Classifier.load(path), path)
    assert open_kept(path) is not None


def test_who_has_no_openvino_leaves_it_to_those_who_have(path, monkeypatch):
    keep(Classifier.load(path), path)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "openvino", None)
        with pytest.raises(BackendError, match="pip install"):
            open_kept(path)
    assert open_kept(path) is not None


def test_without_examples_none_is_kept(path):
    tiny_classifier().save(path)
    keep(Classifier.load(path), path)
    assert open_kept(path) is None
    assert cache_entries() == []


def test_only_a_training_that_somebody_follows_keeps_it(path, monkeypatch):
    classifier = Classifier.load(path)
    keep_if_asked(classifier, path)
    assert open_kept(path) is None
    monkeypatch.setenv(VARIABLE, "1")

    def refuse(_model):
        raise BackendError("no")

    with monkeypatch.context() as broken:
        broken.setattr(converted, "convert", refuse)
        keep_if_asked(classifier, path)  # which does not end the training
    assert open_kept(path) is None
    monkeypatch.setenv("CONVLENS_CACHE_LIMIT", "much")
    keep_if_asked(classifier, path)  # nor does this
    assert open_kept(path) is not None


def test_the_cache_lists_and_removes_it(path):
    keep(Classifier.load(path), path)
    entries = [one for one in cache_entries() if one.kind == "converted networks"]
    assert len(entries) == 2  # by the checksum of the file, and by the content
    assert all(sorted(file.suffix for file in one.files) == [".bin", ".xml"] for one in entries)
    first, second = (max(one.files, key=lambda file: file.suffix == ".bin") for one in entries)
    assert first.samefile(second)  # which takes its place on the disk once
    trim_cache(0)
    assert list((path.parent / "cache" / "networks").iterdir()) == []
    assert open_kept(path) is None


def converting(monkeypatch):
    """Return a list that grows with each network that is converted."""
    found = []

    def convert(model):
        found.append(model.name)
        return on_openvino.convert(model)

    monkeypatch.setattr(converted, "convert", convert)
    return found


def test_logits_are_converted_once_and_are_those_of_the_network(path, images, monkeypatch):
    conversions = converting(monkeypatch)
    first = Classifier.load(path)
    fresh = compile_logits(first)(images)
    assert len(conversions) == 1
    again = compile_logits(Classifier.load(path))
    assert again.engine == "openvino"
    np.testing.assert_array_equal(again(images), fresh)
    expected = first.logits_model.predict(images, verbose=0)
    np.testing.assert_allclose(fresh, expected, rtol=0, atol=1e-4)
    keep(first, path)  # which uses the same network
    assert len(conversions) == 1
    assert open_kept(path) is not None


def test_network_of_a_training_is_found_by_those_who_open_its_file(path, monkeypatch):
    conversions = converting(monkeypatch)
    compile_logits(tiny_classifier())
    compile_logits(Classifier.load(path))
    assert len(conversions) == 1


def test_logits_of_other_weights_or_of_another_temperature_are_converted_anew(path, monkeypatch):
    conversions = converting(monkeypatch)
    classifier = Classifier.load(path)
    compile_logits(classifier)
    compile_logits(classifier.recalibrated(0.2, None))
    assert len(conversions) == 2
    weights = [2 * weight for weight in classifier.model.get_weights()]
    classifier.model.set_weights(weights)
    changed = compile_logits(classifier)
    assert len(conversions) == 3
    image = classifier.examples[:1]
    expected = classifier.logits_model.predict(image, verbose=0)
    np.testing.assert_allclose(changed(image), expected, rtol=1e-3)


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_damaged_logits_are_converted_anew(path, images, monkeypatch, damage):
    classifier = Classifier.load(path)
    expected = compile_logits(classifier)(images)
    (file,) = (path.parent / "cache" / "networks").glob("*.bin")
    weights = file.read_bytes()
    turned = np.frombuffer(weights, np.float32)[::-1].tobytes()
    file.write_bytes(weights[: len(weights) // 2] if damage == "cut" else turned)
    conversions = converting(monkeypatch)
    np.testing.assert_array_equal(compile_logits(classifier)(images), expected)
    assert len(conversions) == 1
    compile_logits(classifier)
    assert len(conversions) == 1


def test_who_has_no_openvino_leaves_the_logits_to_those_who_have(path, images, monkeypatch):
    classifier = Classifier.load(path)
    expected = compile_logits(classifier)(images)
    conversions = converting(monkeypatch)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "openvino", None)
        found = compile_logits(classifier)
        np.testing.assert_allclose(found(images), expected, rtol=0, atol=1e-4)
    assert found.engine != "openvino"
    compile_logits(classifier)
    assert conversions == []


def test_logits_are_computed_where_nothing_can_be_kept(path, images, monkeypatch):
    classifier = Classifier.load(path)
    expected = compile_logits(classifier)(images)

    def refuse(_network, _path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(converted, "write_network", refuse)
    trim_cache(0)
    found = compile_logits(classifier)
    np.testing.assert_allclose(found(images), expected, rtol=0, atol=1e-4)
    assert list((path.parent / "cache" / "networks").iterdir()) == []
