"""convlens: from a folder of labelled images to a classifier one can trust, explain and ship.

>>> import convlens
>>> dataset = convlens.load_data("digits")
>>> len(dataset), dataset.class_names[:3]
(1797, ('0', '1', '2'))

Some modules have a short name here: `arithmetic` (what each layer computes), `backprop` (a small
network trained by hand), `sizes` and `stacks` (sizes and parameters by formula), `views` (all of
these as pages), `plots`, `metrics`, `augment`, `published` (ImageNet accuracies that others
measured), `backend` and `config`.

>>> float(convlens.arithmetic.pool([[5, 2], [4, 1]], 2).output.max())
5.0
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

# By default, TensorFlow uses the kernels of oneDNN only on processors with AVX-512. They are faster
# on other processors, too. The variable is read when TensorFlow is imported.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

if TYPE_CHECKING:
    from convlens import backend, config, plots, views
    from convlens.audit.audit import audit_data
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.prediction import Prediction
    from convlens.config import Config
    from convlens.data import augment
    from convlens.data.dataset import Dataset
    from convlens.data.sources import load_data
    from convlens.errors import ConvlensError
    from convlens.evaluation import metrics
    from convlens.evaluation.paired import compare_pairs
    from convlens.explain import arithmetic
    from convlens.explain.arithmetic import backprop, sizes, stacks
    from convlens.explain.arithmetic.reading import get_filter, get_image
    from convlens.language import set_language
    from convlens.lessons.lesson import Lesson
    from convlens.pipeline import train
    from convlens.run import Run
    from convlens.studies.search import search
    from convlens.zoo import published
    from convlens.zoo.create import create_model
    from convlens.zoo.registry import list_models, model_info
    from convlens.zoo.weights import load_weights

__all__ = [
    "Classifier",
    "Config",
    "ConvlensError",
    "Dataset",
    "Lesson",
    "Prediction",
    "Run",
    "arithmetic",
    "audit_data",
    "augment",
    "backend",
    "backprop",
    "compare_pairs",
    "config",
    "create_model",
    "get_filter",
    "get_image",
    "list_models",
    "load_data",
    "load_weights",
    "metrics",
    "model_info",
    "plots",
    "published",
    "search",
    "set_language",
    "sizes",
    "stacks",
    "train",
    "views",
]

_HOME = {
    "Classifier": "convlens.classifier.classifier",
    "Config": "convlens.config",
    "ConvlensError": "convlens.errors",
    "Dataset": "convlens.data.dataset",
    "Lesson": "convlens.lessons.lesson",
    "Prediction": "convlens.classifier.prediction",
    "Run": "convlens.run",
    "audit_data": "convlens.audit.audit",
    "compare_pairs": "convlens.evaluation.paired",
    "create_model": "convlens.zoo.create",
    "get_filter": "convlens.explain.arithmetic.reading",
    "get_image": "convlens.explain.arithmetic.reading",
    "list_models": "convlens.zoo.registry",
    "load_data": "convlens.data.sources",
    "load_weights": "convlens.zoo.weights",
    "model_info": "convlens.zoo.registry",
    "search": "convlens.studies.search",
    "set_language": "convlens.language",
    "train": "convlens.pipeline",
}
_MODULES = {
    "arithmetic": "convlens.explain.arithmetic",
    "augment": "convlens.data.augment",
    "backend": "convlens.backend",
    "backprop": "convlens.explain.arithmetic.backprop",
    "config": "convlens.config",
    "metrics": "convlens.evaluation.metrics",
    "plots": "convlens.plots",
    "published": "convlens.zoo.published",
    "sizes": "convlens.explain.arithmetic.sizes",
    "stacks": "convlens.explain.arithmetic.stacks",
    "views": "convlens.views",
}
_NEEDS_KERAS = {
    "Classifier",
    "Lesson",
    "Run",
    "create_model",
    "list_models",
    "load_weights",
    "model_info",
    "plots",
    "published",
    "search",
    "train",
    "views",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import convlens` is instant."""
    if name not in _HOME and name not in _MODULES:
        # not translated: a message for programmers
        raise AttributeError("module 'convlens' has no attribute {name!r}".format(name=name))
    if name in _NEEDS_KERAS:
        from convlens import backend

        backend.start()
    module = importlib.import_module(_MODULES.get(name) or _HOME[name])
    value = module if name in _MODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
