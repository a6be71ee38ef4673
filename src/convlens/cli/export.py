"""`convlens export` and `convlens verify`: write a classifier into a folder, and check it there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from convlens import backend
from convlens.errors import DataError, RunError
from convlens.language import N_, _
from convlens.screen import Screen

if TYPE_CHECKING:
    from convlens.export.proof import Proof
    from convlens.preprocess import ImageArray

MOST = 1000  # validation images that are compared
# What shows the page of an exported folder.
SERVE = "python -m http.server 8000 --bind 127.0.0.1 --directory {folder}"


def export(
    run: Annotated[str, Parameter(help=N_("run or classifier file"))],
    /,
    *,
    to: Annotated[
        Literal["onnx", "openvino", "litert", "saved_model", "web"],
        Parameter(help=N_("format of the network")),
    ],
    out: Annotated[
        Path | None, Parameter(help=N_("folder to write; NAME-FORMAT if it is left out"))
    ] = None,
    examples: Annotated[
        list[Path] | None,
        Parameter(
            negative=(),
            help=N_("image files to be the examples in the folder, instead of generated ones"),
        ),
    ] = None,
) -> None:
    """Write a classifier into a folder that works without convlens, with a proof that it does."""
    from convlens.export.folder import Target, check_target
    from convlens.run import Run

    path = Run.find_classifier(run)
    name = path.stem if path == Path(run) else path.parent.name
    folder = out or Path("{name}-{format}".format(name=name, format=to))
    target = Target(to)
    check_target(target, folder)
    backend.start()
    from convlens.export.export import export_classifier

    screen = Screen()
    report: dict[str, Any] = {}
    images = None
    if path != Path(run):
        opened = Run.open(run)
        report = opened.report if opened.finished else {}
        images = _validation_images(opened, screen)
    screen.say(_("converting and comparing; this takes some ten seconds"), "dim")
    proof = export_classifier(
        path, target, folder, images=images, examples=examples or (), report=report
    )
    _show(proof, folder, screen)


def _validation_images(run: Any, screen: Screen) -> "ImageArray | None":
    """Return the first validation images of a run, or None with a note if they are not there."""
    from convlens.data.prepared import prepare_data
    from convlens.data.sources import load_data

    try:
        config = run.config
        dataset = load_data(
            run.data["path"], pattern=config.data.pattern, layout=config.data.layout
        )
        classifier = run.classifier()
        with screen.counter(_("decoding")) as progress:
            prepared = prepare_data(
                dataset.with_classes(classifier.class_names),
                config,
                preprocessing=classifier.preprocessing,
                progress=progress,
            )
        chosen = run.divided(prepared).splits.val[:MOST]
        images: ImageArray = prepared.store.images[chosen]
        return images
    except (DataError, RunError) as error:
        screen.note(
            _("the validation images are not compared: {reason}").format(reason=error.args[0])
        )
        return None


def _show(proof: "Proof", folder: Path, screen: Screen) -> None:
    """Print what the proof has found, and what to type next."""
    screen.facts(
        [
            (
                _("compared"),
                _("{examples} example files and {images:,} validation images").format(
                    examples=proof.examples, images=proof.images
                ),
            ),
            (
                _("classes"),
                _("{changed} changed").format(changed=proof.changed),
            ),
            (
                _("probability"),
                _("differs by {largest:.1e} at most, {mean:.1e} in the mean").format(
                    largest=proof.largest, mean=proof.mean
                ),
            ),
            (
                _("size"),
                _("{size:.1f} MB; the classifier file has {classifier:.1f} MB").format(
                    size=proof.size / 1e6, classifier=proof.classifier_size / 1e6
                ),
            ),
            (
                _("time"),
                _("{here:.1f} ms for an image; {classifier:.1f} ms in convlens").format(
                    here=proof.milliseconds, classifier=proof.classifier_milliseconds
                ),
            ),
            (_("written"), str(folder)),
            *_next(folder),
        ]
    )


def _next(folder: Path) -> list[tuple[str, str]]:
    """Return what to type next."""
    if (folder / "index.html").exists():
        return [
            (_("next"), SERVE.format(folder=folder)),
            (_("then open"), "http://127.0.0.1:8000"),
        ]
    return [(_("next"), "python {path} IMAGE...".format(path=folder / "predict.py"))]


def verify(
    folder: Annotated[Path, Parameter(help=N_("folder that convlens export wrote"))], /
) -> None:
    """Check that an exported folder is whole and still gives the recorded probabilities."""
    from convlens.export.verify import verify as verify_folder

    found = verify_folder(folder)
    Screen().facts(
        [
            (_("files"), _("as they were exported")),
            (
                _("examples"),
                _("{number}; a probability differs by {largest:.1e} at most").format(
                    number=found.examples, largest=found.largest
                ),
            ),
            (
                _("engine"),
                "{engine} {version}".format(
                    engine=found.facts["engine"], version=found.engine_version
                ),
            ),
        ]
    )
