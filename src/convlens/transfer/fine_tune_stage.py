"""Fine-tune stage: after the head, unfrozen layers of the backbone learn too.

The head comes first, since the random gradients of a new head would destroy what the layers below
have learned.
"""

from collections.abc import Callable

import numpy as np

from convlens.classifier.assembly import set_weights
from convlens.config import Config
from convlens.evaluation.paired import compare_pairs
from convlens.language import N_, _
from convlens.report.finish import Predict
from convlens.run import Run
from convlens.screen import Screen
from convlens.training.checkpoint import State
from convlens.training.recipe_words import describe_recipe
from convlens.training.setup import Setup
from convlens.training.stage import Facts
from convlens.training.trainer import Trainer
from convlens.transfer.backbone import body_of, learning_rate_multipliers, unfreeze
from convlens.transfer.head_stage import HeadResult, HeadStage
from convlens.transfer.upper_layers import UpperSetup


def with_unfrozen(setup: Setup, config: Config) -> Setup:
    """Return a setup of the same layers in which others of them learn.

    The weights are shared with the given setup, and so is which layers learn: it is that of the
    setup that was made last.

    Args:
        setup: A setup with a backbone.
        config: The configuration, whose `unfreeze` names the layers.
    """
    unfreeze(body_of(setup.network), config.transfer)
    return setup.changed(config)


def make_trainer(setup: Setup, screen: Screen) -> Trainer:
    """Return a trainer in which each unfrozen layer learns at its own rate."""
    return Trainer(
        setup,
        screen,
        lambda model: learning_rate_multipliers(model, body_of(model), setup.config.transfer),
    )


class FineTuneStage:
    """Trains the head and the unfrozen layers together, from the weights of the head stage.

    Args:
        setup: The images, the configuration and the network, with layers unfrozen; it may be that
            of the upper layers alone.
        screen: Where the progress is shown.
        head: The stage before, which has trained the head of the same layers.
    """

    def __init__(self, setup: Setup, screen: Screen, head: HeadStage) -> None:
        self.setup = setup
        self.screen = screen
        self.head = head
        self.trainer = make_trainer(setup, screen)
        self._head_is_best = False
        self._maps_expected = 0.0

    def facts(self) -> dict[str, str]:
        """Return the recipe, which begins with the head."""
        recipe = _("first the head on kept features, then {recipe}").format(
            recipe=describe_recipe(self.setup.config)
        )
        return {
            N_("recipe"): recipe,
            N_("compute"): self.setup.facts()["compute"],
            **self.trainer.facts(),
        }

    @property
    def expected(self) -> float:
        """The seconds of the maps and the steps, as `costs` has measured them."""
        return self._maps_expected + self.trainer.expected

    def costs(self) -> Facts:
        """Return the time of the maps, and the time and the memory of the steps, measured."""
        if not isinstance(self.setup, UpperSetup):
            return self.trainer.costs()
        self._maps_expected, said = self.setup.cost()
        with self.setup.blank_maps():
            return [(N_("frozen layers"), said), *self.trainer.costs()]

    def run(self, run: Run, *, stop_requested: Callable[[], bool] = lambda: False) -> State:
        """Train; see `Trainer.run`. An epoch is kept only if it is better than the head alone."""
        first = None
        if isinstance(self.setup, UpperSetup):
            with self.screen.counter(_("maps of the frozen layers")) as progress:
                self.setup.compute(progress)
        if not run.has_state:
            set_weights(self.trainer.model, self.setup.network.get_weights())
            first = self._score_of_head()
        self.trainer.provenance = {
            **self.head.provenance(HeadResult.read(run)),
            "precision": self.setup.config.training.precision,
        }
        state = self.trainer.run(run, stop_requested=stop_requested, first=first)
        self._head_is_best = state.best_epoch == 0
        return state

    def end(self, run: Run, note: str) -> None:
        """Record that a training that was stopped ends there; see `Trainer.end`."""
        self.trainer.end(run, note)

    @property
    def parts(self) -> int:
        """The number of parts in which each batch is computed."""
        return self.trainer.parts

    def set_length(self, epochs: int, steps_per_epoch: int) -> None:
        """Train for so many epochs of so many steps instead; see `Trainer.set_length`."""
        self.trainer.set_length(epochs, steps_per_epoch)

    def _score_of_head(self) -> State:
        """Return a state whose best score so far is that of the head alone."""
        if self.trainer.val is None:
            return State()
        found = self.trainer.model.evaluate(self.trainer.val, return_dict=True, verbose=0)
        scores = _("validation loss {loss:.4f}, accuracy {accuracy:.4f}: to be exceeded")
        self.screen.fact(_("head alone"), scores.format(**found))
        return State(best_score=[found["accuracy"], -found["loss"]])

    def prepare_scores(self, run: Run) -> Predict | None:
        """Return what scores are computed with, and compare fine-tuning with the head alone."""
        if self._head_is_best:
            return self.head.prepare_scores(run)
        if len(self.setup.prepared.splits.val):
            self._compare_with_head(run)
        return None

    def _compare_with_head(self, run: Run) -> None:
        """Print and record whether fine-tuning made a difference on the validation images."""
        prepared = self.setup.prepared
        indices = prepared.splits.val
        classifier = run.classifier()
        rows = classifier.probabilities(prepared.store.images, indices=indices)
        predicted = np.stack([rows.argmax(axis=1), HeadResult.read(run).classes])
        correct = predicted == prepared.dataset.labels[indices]
        (pair,) = compare_pairs((_("fine-tuned"), _("frozen")), correct)
        verdict = _("on validation, which also chose the epoch, {pair}").format(pair=pair)
        self.screen.fact(_("fine-tuned"), verdict)
        classifier.provenance["fine_tuning"] = verdict
        classifier.save(run.classifier_path)
