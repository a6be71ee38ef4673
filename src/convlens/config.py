"""Config: all settings of a training, changed by name, and read from and written to `run.toml`."""

import dataclasses
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from convlens.errors import ConfigError
from convlens.language import N_, _
from convlens.presets import AUGMENT_PRESETS, FAST, LEARNING_RATES, RECIPES
from convlens.reasons import system_reason
from convlens.sections import SECTIONS, DataConfig, ModelConfig, TransferConfig, all_settings
from convlens.sections_of_training import AugmentConfig, TrainingConfig
from convlens.setting import typed, unknown
from convlens.text import original, printable

__all__ = [
    "AUGMENT_PRESETS",
    "LEARNING_RATES",
    "AugmentConfig",
    "Config",
    "DataConfig",
    "ModelConfig",
    "TrainingConfig",
    "TransferConfig",
    "all_settings",
]

DEFAULTS = {item.name: item.default for _section, item in all_settings()}
USUAL_MODELS = (DEFAULTS["model"], RECIPES[FAST]["model"])  # which nobody has to name
FINE_TUNING = {"augment": "light", "epochs": 5, "batch_size": 32}  # where layers are unfrozen
PLACE = re.compile(r"line (\d+), column (\d+)")  # in what tomllib says
SHOWN = 80  # characters of a line that is not TOML
# not translated: words of tomllib, on a name that is there twice
TWICE = ("Cannot overwrite a value", "Cannot declare")
FEATURES = {"augment": "none"}  # so that the features of an image are computed once


@dataclass(frozen=True)
class Config:
    """The whole configuration, as `run.toml` holds it.

    Attributes:
        data: Which images are used.
        model: Which network is trained.
        transfer: Which trained network is used.
        augment: How training images are changed.
        training: How the network is trained.
        given: The names of the settings that somebody has given, defaults among them. It does not
            count where configurations are compared.
    """

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    given: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    def replace(self, **values: Any) -> "Config":
        """Return a copy in which settings are changed by name, whatever their section.

        Some settings change others, unless these are given too: a new `augment` resets the other
        fields of its section, and a new `optimizer` resets the learning rate. A `recipe` sets what
        `RECIPES` lists, and resets what the former one has set. A `backbone` sets `augment="none"`,
        so that its features are computed once. Layers that `unfreeze` are trained for 5 epochs in
        batches of 32 with light augmentation.

        Args:
            **values: New values by the names of settings.

        Raises:
            ConfigError: If a name is unknown, or if a value has the wrong type or is out of range.

        >>> Config().replace(epochs=3, size="32").training.epochs
        3
        """
        given = self.given | values.keys()
        if "recipe" in values:
            former = {name: DEFAULTS[name] for name in RECIPES[self.training.recipe]}
            values = former | RECIPES.get(str(values["recipe"]), {}) | values
        if values.get("unfreeze") is not None:
            values = FINE_TUNING | values
        elif values.get("backbone") is not None:
            values = FEATURES | values
        if "augment" in values:
            values = {item.name: None for item in dataclasses.fields(AugmentConfig)} | values
        if "optimizer" in values:
            values = {"learning_rate": None} | values
        section_of = {item.name: section for section, item in all_settings()}
        changes: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
        for name, value in values.items():
            if name not in section_of:
                raise ConfigError(unknown(name, list(section_of)))
            section = section_of[name]
            changes[section][name] = typed(name, value, SECTIONS[section])
        return dataclasses.replace(
            self,
            given=given,
            **{
                name: dataclasses.replace(getattr(self, name), **change)
                for name, change in changes.items()
            },
        )

    def as_decided(self) -> "Config":
        """Return a copy for a run that goes on, in which nothing is left to be decided.

        A run that has recorded no micro-batch has whole batches, and one with unfrozen layers that
        has recorded nothing of maps has none.
        """
        keep_maps = self.transfer.keep_maps
        if self.transfer.unfreeze is not None:
            keep_maps = bool(keep_maps)
        return self.replace(micro_batch=self.training.micro_batch or 0, keep_maps=keep_maps)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return the values of all settings by section."""
        return {name: dataclasses.asdict(getattr(self, name)) for name in SECTIONS}

    def to_toml(self) -> str:
        """Return the text of `run.toml`. A setting that is None is left out."""
        written = {
            name: {
                key: printable(value) if isinstance(value, str) else value
                for key, value in section.items()
                if value is not None
            }
            for name, section in self.to_dict().items()
        }
        return tomli_w.dumps(written)

    @classmethod
    def from_toml(cls, path: str | Path) -> "Config":
        """Read a `run.toml`.

        Raises:
            ConfigError: If the file is missing or malformed, or if it has unknown names or values
                that are out of range.
        """
        values: dict[str, Any] = {}
        try:
            for section, entries in _read_toml(path).items():
                if section not in SECTIONS or not isinstance(entries, Mapping):
                    raise ConfigError(unknown(section, list(SECTIONS), N_("section")))
                known = [item.name for item in dataclasses.fields(SECTIONS[section])]
                for name in entries:
                    if name not in known:
                        raise ConfigError(unknown(name, known))
                values |= {
                    name: original(value) if isinstance(value, str) else value
                    for name, value in entries.items()
                }
            return cls().replace(**values)
        except ConfigError as error:
            raise ConfigError(
                _("{path}: {error}").format(path=path, error=error.args[0])
            ) from error


def _read_toml(path: str | Path) -> dict[str, Any]:
    """Return the content of a TOML file."""
    text = ""
    try:
        text = Path(path).read_text(encoding="utf-8")
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(
            _(
                "a configuration must be a readable TOML file, as the run.toml of a run is; "
                "{reason}. Check the path."
            ).format(reason=system_reason(error))
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            _("a configuration must be TOML; {reason}.").format(reason=_place_of(error, text))
        ) from error


def _place_of(error: ValueError, text: str) -> str:
    """Return where a text stops being TOML, or that it is no text."""
    if isinstance(error, UnicodeDecodeError):
        return _("this is not UTF-8 text")
    said = str(error)
    place = PLACE.search(said)
    line = int(place[1]) if place else text.count("\n") + 1
    name, sign, _value = text.split("\n")[line - 1].partition("=")
    if said.startswith(TWICE) and (sign or name.lstrip().startswith("[")):
        message = _("each name must be there once, but line {line} has {name} again")
        return str(message.format(line=line, name=name.strip()))
    if place:
        found = text.split("\n")[line - 1].strip()[:SHOWN]
        message = _("line {line}, column {column} is not; found: {found}")
        return str(message.format(line=line, column=place[2], found=found))
    return _("it ends too early")
