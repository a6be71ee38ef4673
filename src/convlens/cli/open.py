"""`convlens open`: what a trained network computed for an image, down to one value or gradient."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convlens import backend
from convlens.cli.open_flags import NO_FILES, NO_LOOK, Files, Look, check_options
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError, ImageError
from convlens.run import Run

if TYPE_CHECKING:
    from convlens.classifier.classifier import Classifier


def open_network(
    run: str | None = None,
    image: str | None = None,
    *more: Annotated[str, Parameter(show=False)],
    model: Annotated[
        str | None, Parameter(help="a network with trained weights, in place of RUN")
    ] = None,
    weights: Annotated[
        Path | None,
        Parameter(help="a file with other weights for --model, trained on 1,000 classes"),
    ] = None,
    look: Look = NO_LOOK,
    files: Files = NO_FILES,
) -> None:
    """Show what a trained network computes for an image: a layer, a value, a gradient.

    RUN is a run or a .keras file, and IMAGE is an image of any size. A network that was trained on
    ImageNet needs no run: convlens open --model efficientnet_lite0 IMAGE

    All layers are listed and drawn. With --layer, the feature maps of one layer are drawn; with
    --filter, one value is opened: the patch, the kernel, the products and their sum.
    """
    check_options(look, files)
    if more:
        raise ConfigError(
            "one image is opened at a time; left over: {words}. Each further layer needs its own "
            "--layer.".format(words=" ".join(more))
        )
    image, path = _check_words(run, image, model, weights)
    backend.start()
    from convlens.cli import open_views
    from convlens.cli.open_index import find_index
    from convlens.explain.microscope.microscope import Microscope

    scope = Microscope.look(_load(path, model, weights), image)
    folder = (Path() if path is None else path.parent) / "microscope"
    view = open_views.View(scope, image, folder, files)
    layers = [view.microscope.layer(name) for name in look.layer or ()]
    one_value = look.filter is not None or look.at is not None
    if files.html is not None:
        open_views.write_html(view, layers, find_index(look, layers[0]) if one_value else None)
    if look.gradient:
        open_views.show_gradient(view, layers[0], look)
    elif one_value or files.worksheet is not None:
        open_views.show_cell(view, layers[0], find_index(look, layers[0]))
    elif files.html is None or files.png is not None:
        open_views.show_maps(view, layers[0] if layers else None)


def _check_words(
    run: str | None, image: str | None, model: str | None, weights: Path | None
) -> tuple[str, Path | None]:
    """Return the image, and the file of the classifier unless a model is named.

    Raises:
        ConfigError: If a word is missing or left over.
        ImageError: If the image is a folder.
        RunError: If there is no such run, or it has no classifier.
    """
    path = None
    if model is None:
        refuse_conflicts("open", {"weights": weights})
        if run is None or image is None:
            raise ConfigError(
                "say which image: convlens open RUN IMAGE, or convlens open --model NAME IMAGE."
            )
        path = Run.find_classifier(run)
    elif run is None:
        raise ConfigError("say which image: convlens open --model NAME IMAGE.")
    elif image is not None:
        message = "with --model, only the image is given; found {run} and {image}."
        raise ConfigError(message.format(run=run, image=image))
    image = image or run
    if Path(image).is_dir():
        message = "{path}: IMAGE must be one image; found a folder. Name a file in it."
        raise ImageError(message.format(path=image))
    return image, path


def _load(path: Path | None, model: str | None, weights: Path | None) -> "Classifier":
    from convlens.classifier.classifier import Classifier
    from convlens.classifier.pretrained import pretrained_classifier

    if path is not None:
        return Classifier.load(path)
    return pretrained_classifier(str(model), weights or "imagenet")
