"""convlens: from a folder of labelled pictures to a classifier one can trust, explain and ship.

>>> import convlens
>>> dataset = convlens.load_data("digits")
>>> len(dataset), dataset.class_names[:3]
(1797, ('0', '1', '2'))
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convlens.classifier import Classifier, Prediction
    from convlens.config import Config
    from convlens.data.dataset import Dataset
    from convlens.data.sources import load_data
    from convlens.errors import ConvlensError
    from convlens.evaluation import plots
    from convlens.training.run import Run
    from convlens.training.train import train
    from convlens.zoo.registry import create_model, list_models

__all__ = [
    "Classifier",
    "Config",
    "ConvlensError",
    "Dataset",
    "Prediction",
    "Run",
    "create_model",
    "list_models",
    "load_data",
    "plots",
    "train",
]

_HOME = {
    "Classifier": "convlens.classifier",
    "Config": "convlens.config",
    "ConvlensError": "convlens.errors",
    "Dataset": "convlens.data.dataset",
    "Prediction": "convlens.classifier",
    "Run": "convlens.training.run",
    "create_model": "convlens.zoo.registry",
    "list_models": "convlens.zoo.registry",
    "load_data": "convlens.data.sources",
    "plots": "convlens.evaluation.plots",
    "train": "convlens.training.train",
}
_NEEDS_KERAS = {"Classifier", "Prediction", "Run", "create_model", "list_models", "train"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import convlens` is instant."""
    if name not in _HOME:
        raise AttributeError(f"module 'convlens' has no attribute {name!r}")
    if name in _NEEDS_KERAS:
        from convlens import backend

        backend.start()
    module = importlib.import_module(_HOME[name])
    value = module if name == "plots" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
