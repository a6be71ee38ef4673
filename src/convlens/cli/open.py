"""`convlens open`: what a trained network computed for an image, down to one value or gradient."""

from collections.abc import Callable
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
    """Show what a trained network computed for an image, down to a single sum.

    RUN is a run or a .keras file, IMAGE an image of any size. A network that was trained on
    ImageNet needs no run: convlens open --model efficientnet_lite0 IMAGE

    Without --layer, all layers are listed and drawn. --layer shows all maps of a layer, and
    --filter one of its values: the patch, the kernel, the products and their sum.
    """
    check_options(look, files)
    if more:
        raise ConfigError(
            "one image is opened at a time; left over: {words}. Each further layer needs its own "
            "--layer.".format(words=" ".join(more))
        )
    image, folder, load = _network(run, image, model, weights)
    backend.start()
    from convlens.cli import open_views
    from convlens.cli.open_index import find_index
    from convlens.explain.microscope.microscope import Microscope

    view = open_views.View(Microscope.look(load(), image), image, folder / "microscope", files)
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


def _network(
    run: str | None, image: str | None, model: str | None, weights: Path | None
) -> tuple[str, Path, Callable[[], "Classifier"]]:
    """Return the image, the folder for the figures, and a function that loads the classifier.

    Raises:
        ConfigError: If a word is missing or left over.
        ImageError: If the image is a folder.
        RunError: If there is no such run, or it has no classifier.
    """
    if model is not None:
        if run is None:
            raise ConfigError("say which image: convlens open --model NAME IMAGE.")
        if image is not None:
            raise ConfigError(
                "with --model, only the image is given; found {run} and {image}.".format(
                    run=run, image=image
                )
            )

        def pretrained() -> "Classifier":
            from convlens.classifier.pretrained import pretrained_classifier

            return pretrained_classifier(model, weights or "imagenet")

        return _check_file(run), Path(), pretrained
    refuse_conflicts("open", {"weights": weights})
    if run is None or image is None:
        raise ConfigError(
            "say which image: convlens open RUN IMAGE, or convlens open --model NAME IMAGE."
        )
    path = Run.find_classifier(run)

    def saved() -> "Classifier":
        from convlens.classifier.classifier import Classifier

        return Classifier.load(path)

    return _check_file(image), path.parent, saved


def _check_file(image: str) -> str:
    if Path(image).is_dir():
        raise ImageError(
            "{path}: IMAGE must be one image; found a folder. Name a file in it.".format(path=image)
        )
    return image
