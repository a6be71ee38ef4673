"""The recipes of a comparison: which networks, with what, and for how long."""

import pytest
from rich.console import Console

from convlens.budget.plan import Costs
from convlens.config import Config
from convlens.data.prepared import prepare_data
from convlens.errors import ConfigError, ModelError, TrainingError
from convlens.screen import Screen
from convlens.studies import recipes as module
from convlens.studies.recipes import for_network, make_recipes, plan_networks
from convlens.zoo.names import check_names


def test_the_small_stem_goes_for_those_that_have_one():
    recipes = make_recipes(["custom_cnn", "resnet18"], Config().replace(stem="small"))
    assert {name: config.model.stem for name, config in recipes.items()} == {
        "custom_cnn": "paper",
        "resnet18": "small",
    }


@pytest.mark.parametrize(
    ("names", "error", "said"),
    [
        (["custom_cnn", "small_resnt"], ModelError, "did you mean small_resnet"),
        (
            ["custom_cnn"],
            ConfigError,
            "two networks or more, with commas between; found custom_cnn",
        ),
        ([], ConfigError, "two networks or more, with commas between; found none"),
        (["fashion_mlp", "custom_cnn", "fashion_mlp"], ConfigError, "found fashion_mlp twice"),
    ],
)
def test_names_that_cannot_be_compared(names, error, said):
    with pytest.raises(error, match=said):
        check_names(names)


@pytest.fixture(scope="module")
def prepared(digits):
    return prepare_data(digits, Config().replace(limit=400))


def test_the_same_images_are_scaled_as_each_network_expects(prepared):
    scaled = for_network(prepared, "mnist_tanh")
    assert scaled.store is prepared.store
    assert scaled.splits is prepared.splits
    assert scaled.preprocessing.scale == 1.0
    assert for_network(prepared, "custom_cnn").preprocessing.scale == pytest.approx(1 / 255)


SMALL = Config().replace(filters=(4,), dense=(8,), batch_size=32)
PLANNED = make_recipes(["custom_cnn", "fashion_mlp"], SMALL)


def test_epochs_fill_the_time_of_each_network(prepared, monkeypatch):
    costs = {"custom_cnn": Costs(1.0, 2.0), "fashion_mlp": Costs(0.5, 2.0)}
    monkeypatch.setattr(module, "measure_costs", lambda t, _: costs[t.setup.config.model.model])
    with Console(record=True, width=200, quiet=False) as console:
        planned = plan_networks(PLANNED, prepared, 100.0, Screen(console=console))
    for name, config in planned.items():
        settings = config.training
        seconds = costs[name].seconds(settings.epochs, settings.steps_per_epoch)
        assert 90 <= seconds <= 95
    said = console.export_text()
    assert "recipe        batch 32, adamw, learning rate 0.002 (one-cycle)" in said
    assert "1000 ms" in said
    assert "500 ms" in said


def test_a_time_too_short_names_the_networks_and_the_least(prepared, monkeypatch):
    monkeypatch.setattr(module, "measure_costs", lambda *_: Costs(110.0, 3.0, 1.0))
    with pytest.raises(
        ConfigError,
        match=r"--minutes 1 is too short for custom_cnn, fashion_mlp: .* take 2 minutes",
    ):
        plan_networks(PLANNED, prepared, 60.0, Screen(quiet=True))


def test_a_network_whose_loss_bursts_while_it_is_measured_is_named(prepared, monkeypatch):
    def burst(*_):
        raise TrainingError("the loss must stay finite")

    monkeypatch.setattr(module, "measure_costs", burst)
    with pytest.raises(TrainingError, match="custom_cnn, while it was measured: the loss"):
        plan_networks(PLANNED, prepared, 60.0, Screen(quiet=True))
