"""The sections: every setting once, with help and a default that is allowed."""

import dataclasses

import pytest

from convlens.config import Config
from convlens.errors import ConfigError
from convlens.presets import AUGMENT_PRESETS, LEARNING_RATES
from convlens.sections import SECTIONS, ModelConfig, all_settings, parse_size
from convlens.sections_of_training import AugmentConfig, TrainingConfig


def test_every_setting_has_help_and_a_name_of_its_own():
    assert all(item.metadata["help"] for _, item in all_settings())
    names = [item.name for _, item in all_settings()]
    assert len(names) == len(set(names)) == 64
    assert [section for section, _ in all_settings()][:1] == ["data"]


def test_presets_name_fields_and_their_values_are_allowed():
    fields = {item.name for item in dataclasses.fields(AugmentConfig)}
    for name, row in AUGMENT_PRESETS.items():
        assert set(row) <= fields
        assert AugmentConfig(augment=name, **row).augment == name


def test_every_optimizer_has_a_learning_rate_that_is_allowed():
    for name, rate in LEARNING_RATES.items():
        assert TrainingConfig(optimizer=name, learning_rate=rate).learning_rate == rate


def test_the_defaults_are_those_that_are_documented():
    assert ModelConfig().model == "small_resnet"
    assert (TrainingConfig().epochs, TrainingConfig().batch_size) == (20, 64)
    assert all(not section().changed() for section in SECTIONS.values())


def test_sizes_as_they_are_typed():
    assert parse_size("64") == (64, 64)
    assert parse_size("48x64") == (48, 64)
    for text in ("0", "auto", "64x", "x64", "4097", "64 x 64", "-3", ""):
        with pytest.raises(
            ConfigError, match="must be a side such as 64, or height x width such as 48x64"
        ):
            parse_size(text)


def test_a_size_that_cannot_be_is_refused_before_any_image_is_read():
    assert Config().replace(size="48x64").data.size == "48x64"
    with pytest.raises(ConfigError, match="--size must be a side such as 64"):
        Config().replace(size="64x")
