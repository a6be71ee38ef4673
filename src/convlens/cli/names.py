"""Wrong names of networks, files and runs, which are told before the engine is imported.

The import takes seconds, for which nobody who has mistyped a name should wait.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from convlens.classifier.archive import no_classifier, read_facts
from convlens.classifier.class_names import find_class
from convlens.config import Config
from convlens.errors import ImageError
from convlens.language import _
from convlens.run_access import refuse_taken
from convlens.run_folder import folder_of, place
from convlens.zoo.imagenet import imagenet_classes
from convlens.zoo.names import (
    NAMES,
    refuse_missing_weights,
    refuse_unknown_model,
    unknown_backbone,
)


def refuse_wrong_names(
    config: Config, run: str | None = None, start_from: str | None = None
) -> None:
    """Refuse networks and files that do not exist, and the name of a new run that is taken.

    Args:
        config: The configuration, which names a network or a backbone.
        run: The name of the new run, or None.
        start_from: A classifier file or a run to train further.

    Raises:
        ModelError: If there is no such network or backbone, or no file of its weights.
        ClassifierError: If there is no such file.
        RunError: If the name of the new run is taken.
    """
    backbone = config.transfer.backbone
    if start_from is not None:
        _refuse_missing(start_from)
    elif backbone is None:
        refuse_unknown_model(config.model.model)
        refuse_missing_weights(config.transfer.weights or "imagenet")
    elif backbone in NAMES:
        refuse_missing_weights(config.transfer.weights or "imagenet")
    elif backbone.endswith(".keras"):
        _refuse_missing(backbone)
    elif _is_missing(backbone):
        raise unknown_backbone(backbone)
    refuse_taken_name(run)


def refuse_taken_name(run: str | None) -> None:
    """Raise RunError if a name is given for a new run, and is taken."""
    if run is not None:
        refuse_taken(place(run))


def _refuse_missing(name: str) -> None:
    """Raise ClassifierError if neither a file nor a run is there."""
    if _is_missing(name):
        raise no_classifier(name)


def _is_missing(name: str) -> bool:
    return not (Path(name).exists() or folder_of(name).exists())


def refuse_unknown_classes(path: Path | None, *names: str | None) -> None:
    """Refuse names of classes that a classifier does not know.

    Args:
        path: Its file; None stands for a network with the classes of ImageNet.
        names: The names; None stands for one that was not given.

    Raises:
        ConfigError: If it does not know one of them.
        ClassifierError: If the file is no whole classifier.
    """
    given = [name for name in names if name is not None]
    if given:
        known = imagenet_classes() if path is None else read_facts(path)["class_names"]
        for name in given:
            find_class(name, known)


def refuse_no_image(path: str) -> None:
    """Raise ImageError if a path is that of a folder, or if nothing is there."""
    if Path(path).is_dir():
        message = _("{path}: IMAGE must be one image; found a folder. Name a file in it.")
        raise ImageError(message.format(path=path))
    if not Path(path).exists():
        raise _no_file(path)


def refuse_missing_images(
    paths: Sequence[Path], skip: Callable[[ImageError], None] | None = None
) -> None:
    """Refuse images of which none exists; the standard input counts as one that does.

    Args:
        paths: The images.
        skip: What is told of each image that is missing.

    Raises:
        ImageError: If no image exists, and nothing is told of each.
        DataError: If no image exists.
    """
    if any(path == Path("-") or path.exists() for path in paths):
        return
    for path in paths:
        if skip is None:
            raise _no_file(path)
        skip(_no_file(path))
    from convlens.image_file import none_readable

    raise none_readable(len(paths))


def _no_file(path: str | Path) -> ImageError:
    return ImageError(_("{name}: there is no such file.").format(name=path))
