"""`convlens open`: what a trained network computed for an image, down to one value or gradient."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from convlens import backend
from convlens.cli.names import refuse_no_image, refuse_unknown_classes
from convlens.cli.open_flags import NO_FILES, NO_LOOK, Files, Look, check_options, find_index
from convlens.cli.predict import load_classifier
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError
from convlens.language import N_, _
from convlens.run_access import find_classifier
from convlens.zoo.names import refuse_missing_weights, refuse_unknown_model


def open_network(
    run: Annotated[str | None, Parameter(help=N_("run or .keras file"))] = None,
    image: Annotated[str | None, Parameter(help=N_("image file"))] = None,
    *more: Annotated[str, Parameter(show=False)],
    model: Annotated[
        str | None, Parameter(help=N_("a network with trained weights, in place of RUN"))
    ] = None,
    weights: Annotated[
        Path | None,
        Parameter(help=N_("a file with other weights for --model, trained on 1,000 classes")),
    ] = None,
    look: Look = NO_LOOK,
    files: Files = NO_FILES,
) -> None:
    """Show what a trained network computes for an image: a layer, a value, a gradient.

    Raises:
        ConfigError: If the flags do not go together, or a word is missing or left over.
        ImageError: If the image is a folder or cannot be read.
        RunError: If there is no such run, or it has no classifier or no states.
    """
    check_options(look, files)
    if more:
        raise ConfigError(
            _(
                "one image is opened at a time; left over: {words}. Each further layer needs its "
                "own --layer."
            ).format(words=" ".join(more))
        )
    image, path = _check_words(run, image, model, weights)
    refuse_unknown_classes(path, look.true)
    backend.start()
    if look.over_time:
        from convlens.cli.open_over_time import show_over_time

        show_over_time(path, image, look, files)
        return
    from convlens.cli import open_views
    from convlens.explain.microscope.microscope import Microscope

    scope = Microscope.look(load_classifier(path, model, weights), image)
    folder = (Path() if path is None else path.parent) / "microscope"
    view = open_views.View(scope, image, folder, files, path)
    layers = [scope.layer(name) for name in look.layer or ()]
    one_value = look.filter is not None or look.at is not None
    if files.html is not None:
        first = find_index(look, layers[0]) if one_value else None
        open_views.write_html(view, files.html, layers, first)
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
        ImageError: If the image is a folder, or there is no such file.
        RunError: If there is no such run, or it has no classifier.
        ModelError: If there is no such network, or no file of its weights.
    """
    path = None
    if model is None:
        refuse_conflicts("open", {"weights": weights})
        if run is None or image is None:
            raise ConfigError(
                _("say which image: convlens open RUN IMAGE, or convlens open --model NAME IMAGE.")
            )
        path = find_classifier(run)
    elif run is None:
        raise ConfigError(_("say which image: convlens open --model NAME IMAGE."))
    elif image is not None:
        message = _("with --model, only the image is given; found {run} and {image}.")
        raise ConfigError(message.format(run=run, image=image))
    else:
        refuse_unknown_model(model)
        refuse_missing_weights(weights or "imagenet")
    image = image or run
    refuse_no_image(image)
    return image, path
