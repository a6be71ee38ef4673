"""`convlens predict`: what a trained classifier says of images."""

import io
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from convlens import backend
from convlens.cli.cluster import ClusterFlag
from convlens.cli.names import refuse_missing_images
from convlens.cli.predict_cluster import (
    Answers,
    Asked,
    Engine,
    predict_on_cluster,
)
from convlens.cli.predict_formats import PRINTERS, print_notes, row_of
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError, DataError, ImageError
from convlens.language import N_, _
from convlens.run_access import find_classifier
from convlens.screen import marked
from convlens.zoo.names import refuse_missing_weights, refuse_unknown_model

if TYPE_CHECKING:
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.prediction import Predictor

Images = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,
        help=N_("files, folders, globs, or - for the standard input"),
    ),
]
Named = Annotated[str | None, Parameter(help=N_("run, .keras file or exported folder"))]
Model = Annotated[
    str | None, Parameter(help=N_("network with trained weights, instead of a classifier"))
]
Weights = Annotated[
    Path | None, Parameter(help=N_("file with other weights of --model, for 1,000 classes"))
]
Views = Annotated[
    Literal["one", "mirror"],
    Parameter(help=N_("views of an image; mirror adds its mirror image where one leaves doubt")),
]
Printed = Annotated[
    Literal["table", "csv", "json"], Parameter(help=N_("how to print the predictions"))
]
Precision = Annotated[
    Literal["float32", "bfloat16", "auto"], Parameter(help=N_("arithmetic of the predictions"))
]


def predict(  # noqa: PLR0913 - the flags of the command
    classifier: Named = None,
    /,
    *images: Images,
    model: Model = None,
    weights: Weights = None,
    top: Annotated[int, Parameter(help=N_("number of classes to print"))] = 3,
    format: Printed = "table",  # noqa: A002 - the flag's name
    precision: Precision = "float32",
    engine: Engine = "keras",
    views: Views = "one",
    cluster: ClusterFlag = None,
    answers: Answers = None,
) -> int:
    """Predict the classes of images: files, folders, globs, or - for the standard input.

    Returns:
        The exit code: 3 if some images could not be read, which are printed to stderr.

    Raises:
        ConfigError: If `top` is less than 1, or if no classifier or no image was named.
        DataError: If no image can be read.
    """
    words = [word for word in (model, classifier, *images) if word is not None]
    _check(words, top)
    mirrored = views == "mirror"
    flags = {"weights": weights, "model": model, "cluster": cluster, "answers": answers}
    refuse_conflicts("predict", flags | {"views": mirrored})
    name, *patterns = words
    if cluster is not None and answers is not None:
        # The nodes load the classifier in the precision and on the engine that were asked for.
        load = _find_predictor(name, model, weights)
        asked = Asked(cluster, answers, engine, precision)
        return predict_on_cluster(load, patterns, asked, (format, top))
    from convlens.cli.predict_images import find_images
    from convlens.data.deep import describe_unit
    from convlens.image_file import none_readable, readable

    load = _find_predictor(name, model, weights, precision, engine)
    paths, notes = find_images(patterns)
    errors = Console(emoji=False, stderr=True, highlight=False, soft_wrap=True)
    skipped: list[ImageError] = []

    def skip(error: ImageError) -> None:
        skipped.append(error)
        errors.print(marked(_("skipped"), "yellow", str(error)))

    refuse_missing_images(paths, skip)
    # The standard input and other pipes can be read only once.
    found = [readable(_standard_input() if path == Path("-") else path) for path in paths]
    loaded = _with_mirror(load()) if mirrored else load()
    chosen = loaded.with_unit_of(found)
    predictions = chosen.predict(found, skip=skip)
    remarks = Counter(chain.from_iterable(one.remarks for one in predictions))
    notes += describe_unit(loaded.preprocessing, chosen.preprocessing)
    print_notes(errors, notes, remarks)
    if not predictions:
        raise none_readable(len(paths))
    PRINTERS[format]([row_of(one, chosen.class_names, top) for one in predictions])
    return DataError.exit_code if skipped else 0


def _check(words: Sequence[str], top: int) -> None:
    """Raise ConfigError if no classifier is named, a flag is unknown, or --top is below 1."""
    if not words:
        raise ConfigError(
            _(
                "say which classifier to use: convlens predict RUN IMAGE..., or --model NAME "
                "IMAGE...."
            )
        )
    if top < 1:
        raise ConfigError(_("--top must be at least 1; found {top}.").format(top=top))
    unknown = [word for word in words[1:] if word.startswith("--")]
    if unknown:
        message = _("unknown option: {word} (convlens predict --help).")
        raise ConfigError(message.format(word=unknown[0]))


def _with_mirror(predictor: "Predictor") -> "Predictor":
    """Return a predictor that looks at mirror images, too, where it is in doubt."""
    from convlens.classifier.views import WithMirror  # which imports scipy

    return WithMirror.of(predictor)


def _find_predictor(
    name: str,
    model: str | None,
    weights: Path | None,
    precision: str = "float32",
    engine: str = "keras",
) -> "Callable[[], Predictor]":
    """Return a function that loads what predicts; a wrong name is told before images are read."""
    if model is not None:
        refuse_unknown_model(model)
        refuse_missing_weights(weights or "imagenet")
        return partial(_on_engine, None, model, weights, precision, engine)
    exported = _exported(name, precision, engine)
    if exported is not None:
        return lambda: exported
    return partial(_on_engine, find_classifier(name), None, None, precision, engine)


def _on_engine(
    path: Path | None, model: str | None, weights: Path | None, precision: str, engine: str
) -> "Predictor":
    """Return a classifier that an engine computes; see `load_classifier`."""
    if engine == "keras":
        return load_classifier(path, model, weights, precision)
    classifier = load_classifier(path, model, weights)
    from convlens.classifier.compiled import compile_classifier

    return compile_classifier(classifier, precision)


def _exported(name: str, precision: str, engine: str) -> "Predictor | None":
    """Return the network of an exported folder, or None if this is no such folder.

    Raises:
        ConfigError: If a precision or an engine was asked for; an exported network has its own.
        ExportError: If the folder is not whole.
    """
    from convlens.export.folder import is_exported, open_network

    if not is_exported(Path(name)):
        return None
    if precision != "float32":
        raise ConfigError(
            _(
                "an exported network is computed in float32; found --precision {precision}. Leave "
                "it out."
            ).format(precision=precision)
        )
    if engine != "keras":
        raise ConfigError(_("an exported network has its own engine. Leave --engine out."))
    return open_network(Path(name))


def _standard_input() -> io.BytesIO:
    stream = io.BytesIO(sys.stdin.buffer.read())
    stream.name = "-"
    return stream


def load_classifier(
    path: Path | None, model: str | None, weights: Path | None, precision: str = "float32"
) -> "Classifier":
    """Return the classifier of a file, or a network of the zoo with trained weights.

    Args:
        path: The file, or None if the network is named.
        model: The name of the network.
        weights: A file with weights of the network; those of ImageNet if None.
        precision: The arithmetic of the predictions.
    """
    backend.start()
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.pretrained import pretrained_classifier

    if path is not None:
        return Classifier.load(path, precision=precision)
    return pretrained_classifier(str(model), weights or "imagenet", precision=precision)
