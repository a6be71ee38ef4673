"""What the commands that train do first."""

import pytest

from convlens import backend
from convlens.cli.opening import open_images, require_name
from convlens.config import Config
from convlens.errors import BackendError, ConfigError, RunError


def test_images_are_loaded_with_the_pattern_of_the_configuration(here, shapes):
    assert open_images(str(shapes), Config()).class_names == ("bar", "disc")
    with pytest.raises(ConfigError, match="--pattern must have a group"):
        open_images(str(shapes), Config().replace(pattern="no group"))


def test_another_engine_than_the_running_one_is_refused_before_the_images():
    other = next(name for name in backend.ENGINES if name != backend.engine())
    with pytest.raises(BackendError, match=f"{other} was asked for"):
        open_images("nowhere", Config().replace(backend=other))


def test_what_is_resumed_needs_a_name():
    assert require_name("mine", "run", "train") == "mine"
    with pytest.raises(RunError) as caught:
        require_name(None, "search", "search")
    said = "to resume, name the search: convlens search --run NAME --resume."
    assert str(caught.value) == said
