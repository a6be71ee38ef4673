"""Which trained network `--backbone` names, and the images that it takes."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from convlens.classifier.assembly import assemble
from convlens.classifier.classifier import Classifier
from convlens.config import Config
from convlens.data.dataset import Dataset
from convlens.errors import ClassifierError, ConfigError, ModelError
from convlens.pipeline import train
from convlens.preprocess import Preprocessing
from convlens.run import Run
from convlens.transfer import origin as origin_module
from convlens.transfer.origin import (
    BackboneOrigin,
    choose_backbone,
    choose_origin,
    resumed_origin,
)
from tests.trainings import QUIET
from tests.transfer.backbones import (
    DATA,
    IMAGES,
    SEEN,
    assembled,
    config_of,
    own,
    saved,
    training_of,
)

pytestmark = pytest.mark.usefixtures("own_cache", "no_report")


def test_a_file_a_folder_and_the_name_of_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = Run.create("mine", "")
    saved(run.classifier_path)
    for name in ("mine", "runs/mine", str(run.classifier_path)):
        assert choose_backbone(Config().replace(backbone=name)).trained is not None


def test_a_run_is_the_backbone_beside_a_folder_of_images_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    run = Run.create("pets", "")
    run.write("run.toml", "")
    saved(run.classifier_path)
    assert choose_backbone(Config().replace(backbone="pets")).trained is not None


def test_a_network_of_the_zoo_goes_before_a_run_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved(Run.create("efficientnet_lite0", "").classifier_path)
    assert choose_backbone(Config().replace(backbone="efficientnet_lite0")).trained is None
    assert choose_backbone(Config().replace(backbone="runs/efficientnet_lite0")).trained is not None


@pytest.mark.parametrize("model", ["small_resnet", "fast_cnn"])
def test_the_settings_of_a_training_that_named_no_network_serve_a_backbone(model):
    config = Config().replace(model=model, backbone="efficientnet_lite0")
    assert choose_backbone(config).name == "efficientnet_lite0"


def refused(error, said, **settings):
    with pytest.raises(error, match=said):
        choose_backbone(Config().replace(**settings))


def test_what_is_no_backbone(tmp_path, file):
    refused(
        ModelError,
        r"no trained weights are known for small_resnet\..*efficientnet_lite0",
        backbone="small_resnet",
    )
    refused(
        ModelError,
        r"No file or run is at efficientnet_lit, and there is no .*; "
        r"did you mean .*efficientnet_lite0",
        backbone="efficientnet_lit",
    )
    refused(ClassifierError, "missing.keras", backbone=str(tmp_path / "missing.keras"))
    (tmp_path / "notes.txt").write_text("no network")
    refused(ClassifierError, "notes.txt", backbone=str(tmp_path / "notes.txt"))
    (tmp_path / "empty").mkdir()
    refused(ClassifierError, "empty", backbone=str(tmp_path / "empty"))
    own().save(tmp_path / "plain.keras")
    refused(ClassifierError, "plain.keras", backbone=str(tmp_path / "plain.keras"))
    refused(
        ConfigError,
        "--weights goes with a network of the zoo",
        backbone=str(file),
        weights="imagenet",
    )
    refused(ConfigError, "leave out --model vgg16", backbone=str(file), model="vgg16")
    refused(ConfigError, "leave out --model vgg16", backbone="efficientnet_lite0", model="vgg16")


def test_a_stem_for_a_classifier_is_refused_unless_an_earlier_version_has_begun_the_run(file):
    config = Config().replace(backbone=str(file), stem="small")
    origin = choose_backbone(config)
    with pytest.raises(ConfigError, match=r"--stem shapes a new network, and .*trained\.keras has"):
        origin.prepare(DATA, config, None)
    assert len(replace(origin, is_resumed=True).prepare(DATA, config, None).dataset) == len(DATA)


def test_images_are_taken_as_the_classifier_takes_them(file):
    grey = Dataset(
        "memory", "arrays", IMAGES[:, :8, :8, 0].copy(), np.arange(24) % 3, ("x", "y", "z")
    )
    config = Config().replace(backbone=str(file))
    origin = choose_backbone(config)
    prepared = origin.prepare(grey, config, None)
    assert prepared.preprocessing == SEEN
    assert any("are grey" in note for note in prepared.notes)
    resolved = config.replace(size="12x12", fit="stretch", channels="rgb")  # as run.toml has them
    assert origin.prepare(grey, resolved, None).preprocessing == SEEN
    with pytest.raises(ConfigError, match=r"--size must be .*, 12x12; found 16\. Leave it out"):
        origin.prepare(grey, config.replace(size="16"), None)
    with pytest.raises(ConfigError, match=r"--channels must be .*, rgb; found grey"):
        origin.prepare(grey, config.replace(channels="grey"), None)


def test_colour_images_for_a_grey_classifier(tmp_path):
    path = saved(tmp_path / "grey.keras", preprocessing=Preprocessing(12, 12, 1))
    assert assembled(path).input_shape == (None, 12, 12, 1)


def test_small_grey_images_for_a_backbone_of_the_zoo():
    grey = Dataset("memory", "arrays", IMAGES[..., 0].copy(), np.arange(24) % 3, ("x", "y", "z"))
    config = Config().replace(backbone="efficientnet_lite0")
    origin = choose_backbone(config)
    assert isinstance(origin, BackboneOrigin)
    prepared = origin.prepare(grey, config, None)
    assert prepared.preprocessing.shape == (224, 224, 3)
    assert prepared.preprocessing.fit == "crop"
    assert any("enlarged; the least side here is 12" in note for note in prepared.notes)
    assert any("are grey" in note for note in prepared.notes)
    assert origin.prepare(grey, config.replace(size="32"), None).preprocessing.shape == (32, 32, 3)


def test_notes_on_the_size_are_of_the_images_that_a_limit_leaves(monkeypatch):
    grey = Dataset("memory", "arrays", IMAGES[..., 0].copy(), np.arange(24) % 3, ("x", "y", "z"))
    seen = []
    monkeypatch.setattr(origin_module, "look_at", lambda found: seen.append(len(found)) or ([], 0))
    config = Config().replace(backbone="efficientnet_lite0", limit=6)
    choose_backbone(config).prepare(grey, config, None)
    assert seen == [6]


def test_the_small_stem_of_a_backbone_is_noted_where_images_are():
    for stem, notes in (("paper", 0), ("small", 1)):
        config = Config().replace(backbone="efficientnet_lite0", size="32", stem=stem)
        prepared = choose_backbone(config).prepare(DATA, config, None)
        found = [note for note in prepared.notes if note.startswith("with --stem small, the first")]
        assert len(found) == notes


def test_weights_of_another_network_name_the_layer(file):
    config = Config().replace(backbone="efficientnet_lite0", size="64", weights=str(file))
    origin = choose_backbone(config)
    with pytest.raises(
        ModelError,
        match=r"trained\.keras: layer stem_conv needs \(3, 3, 3, 32\); found \(3, 3, 3, 4\)",
    ):
        origin.assemble(origin.prepare(DATA, config, None), config)


def test_settings_that_ask_for_a_backbone_or_exclude_it(backbone):
    for settings in (
        {"unfreeze": "all"},
        {"head": (8,)},
        {"gradual": True},
        {"train_batch_norm": True},
        {"keep_maps": True},
    ):
        with pytest.raises(ConfigError, match="needs --backbone"):
            choose_origin(Config().replace(**settings))
    with pytest.raises(ConfigError, match="--backbone and --from exclude each other"):
        choose_origin(Config().replace(backbone=str(backbone)), start_from=backbone)


@pytest.mark.parametrize(
    ("more", "found"), [({"augment": "shift"}, "shift 0.07"), ({"snapshots": 3}, "--snapshots 3")]
)
def test_maps_that_cannot_be_kept_are_refused_before_an_image_is_decoded(more, found, backbone):
    settings = {"augment": "none", "backbone": str(backbone), "unfreeze": "all", "keep_maps": True}
    choose_origin(Config().replace(**settings))
    with pytest.raises(ConfigError, match=f"--keep-maps needs .*; found {found}. Leave out"):
        choose_origin(Config().replace(**settings | more))


def test_images_that_the_backbone_has_learned_from_are_not_tested_on(digits, backbone, tmp_path):
    training, run = training_of(digits, config_of(backbone), tmp_path / "first")
    training.run(run)
    with pytest.raises(
        ConfigError, match="--seed must be as in the first training of these images, 0, "
    ):
        train(digits, config_of(run.folder, seed=1), run=tmp_path / "second", screen=QUIET)
    train(digits, config_of(run.folder), run=tmp_path / "third", screen=QUIET)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"backbone": "base"}, False),  # the name of a run under runs/
        ({"backbone": "runs/base"}, False),
        ({"backbone": "base.keras"}, False),
        ({"backbone": "/base.keras"}, True),
        ({"model": "vgg16", "weights": "weights.h5"}, False),
        ({"backbone": "vgg16", "weights": "/weights.h5"}, True),
        ({"backbone": "damaged.keras"}, True),
    ],
)
def test_a_run_that_goes_on_in_another_folder_says_where_it_has_looked(
    settings, found, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "damaged.keras").write_bytes(b"")
    with pytest.raises((ClassifierError, ModelError)) as caught:
        resumed_origin(Config().replace(**settings), None)
    where = f"from the current folder, {tmp_path}: continue the run in the folder in which it"
    assert (f"{where} was begun." in str(caught.value)) != found


@pytest.mark.parametrize(("filters", "is_frozen"), [(300, True), (300, False), (1, True)])
def test_from_names_backbone_as_the_quick_way_if_most_layers_are_frozen(
    tmp_path, filters, is_frozen
):
    def network(x):
        body = keras.layers.Conv2D(filters, 3, trainable=not is_frozen)
        x = keras.layers.Conv2D(1, 1)(body(x))
        return keras.layers.Dense(3)(keras.layers.Flatten()(x))

    model = assemble(network, SEEN, 3, "own")
    Classifier.from_logits(model, DATA.class_names, SEEN).save(tmp_path / "own.keras")
    config = Config()
    origin = choose_origin(config, start_from=tmp_path / "own.keras")
    prepared = origin.prepare(DATA, config, None)
    notes = origin.notes(prepared, config, origin.assemble(prepared, config))
    is_named = is_frozen and filters > 1
    assert ["with --backbone in place of --from" in note for note in notes] == [True] * is_named
