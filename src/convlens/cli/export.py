"""`convlens export` and `convlens verify`: write a classifier into a folder, and check it there."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from convlens import backend
from convlens.errors import ConfigError
from convlens.language import N_, _, ngettext
from convlens.run_access import find_classifier
from convlens.screen import Screen

if TYPE_CHECKING:
    from convlens.export.proof import Proof

# What shows the page of an exported folder.
SERVE = "python -m http.server 8000 --bind 127.0.0.1 --directory {folder}"

To = Annotated[
    Literal["onnx", "openvino", "litert", "saved_model", "web"],
    Parameter(help=N_("format of the network")),
]
Precision = Annotated[
    Literal["float32", "float16", "int8"],
    Parameter(help=N_("precision: float16 halves the file; int8 quarters it and is often faster")),
]
AnySize = Annotated[
    bool,
    Parameter(negative=(), help=N_("the network takes images of any size and resizes them itself")),
]
AcceptLoss = Annotated[
    bool,
    Parameter(
        negative=(), help=N_("write the folder even if the precision costs too much accuracy")
    ),
]
Out = Annotated[
    Path | None,
    Parameter(help=N_("folder to write; NAME-FORMAT[-PRECISION][-any-size] if left out")),
]
Examples = Annotated[
    list[Path] | None,
    Parameter(
        negative=(),
        help=N_("image files to be the examples in the folder, instead of generated ones"),
    ),
]


def export(  # noqa: PLR0913 - the flags of the command; all but two have defaults
    run: Annotated[str, Parameter(help=N_("run or classifier file"))],
    /,
    *,
    to: To,
    precision: Precision = "float32",
    any_size: AnySize = False,
    accept_loss: AcceptLoss = False,
    out: Out = None,
    examples: Examples = None,
) -> None:
    """Write a classifier into a folder that works without convlens, with a proof that it does."""
    from convlens.export.folder import is_exported
    from convlens.export.target import Target, check_target

    if is_exported(Path(run)):
        raise ConfigError(
            _("{folder} is an exported folder already; give its run or classifier file.").format(
                folder=run
            )
        )
    path = find_classifier(run)
    target = Target(to, precision, any_size, accept_loss)
    name = path.stem if path == Path(run) else path.parent.name
    folder = out or Path(target.folder_name(name))
    check_target(target, folder)
    backend.start()
    from convlens.export.export import export_classifier
    from convlens.export.samples import samples_if_there

    screen = Screen()
    report: dict[str, Any] = {}
    samples = None
    if path != Path(run):
        from convlens.run import Run

        opened = Run.open(run)
        report = opened.report if opened.finished else {}
        notes: list[str] = []
        with screen.counter(_("decoding")) as progress:
            samples = samples_if_there(opened, precision, notes, progress)
        for note in notes:
            screen.note(note)
    text = _("converting and comparing; this takes some ten seconds")
    if precision == "int8":
        text = _("converting, quantising and comparing; this takes a few minutes")
    screen.say(text, "dim")
    proof = export_classifier(
        path, target, folder, samples=samples, examples=examples or (), report=report
    )
    _show(proof, folder, screen)


def _show(proof: "Proof", folder: Path, screen: Screen) -> None:
    """Print what the proof has found, and what to type next."""
    rows = [
        (
            _("compared"),
            ngettext(
                "{examples} example files and {images:,} validation image",
                "{examples} example files and {images:,} validation images",
                proof.images,
            ).format(examples=proof.examples, images=proof.images),
        ),
        (_("classes"), _("{changed} changed").format(changed=proof.changed)),
        *_cost(proof),
        (
            _("probability"),
            _("differs by {largest:.1e} at most, {mean:.1e} in the mean").format(
                largest=proof.largest, mean=proof.mean
            ),
        ),
        *_any_size(proof),
        (_("size"), _size(proof)),
        (_("time"), _time(proof)),
        *_default(proof),
        (_("written"), str(folder)),
        *_next(folder),
    ]
    screen.facts(rows)


def _cost(proof: "Proof") -> list[tuple[str, str]]:
    """Return what a lower precision costs, as a row; none in float32."""
    if proof.cost is None:
        return []
    text = _("{before:.1f} % in float32, {after:.1f} % in {precision}: {cost}")
    if not proof.cost.labelled:
        text = _("{after:.1f} % of the classes are the same in {precision}: {cost}")
    return [
        (
            _("accuracy"),
            text.format(
                before=100 * proof.cost.before,
                after=100 * proof.cost.after,
                precision=proof.precision,
                cost=proof.cost,
            ),
        )
    ]


def _any_size(proof: "Proof") -> list[tuple[str, str]]:
    """Return what the resize inside a network gives, as a row; none if it has none."""
    if proof.any_size is None:
        return []
    return [
        (
            _("any size"),
            _(
                "{share:.1f} % of the resized pixels differ from those of Pillow, by {levels} of "
                "255 at most; a probability by {largest:.1e} at most"
            ).format(
                share=100 * proof.any_size.differing,
                levels=proof.any_size.levels,
                largest=proof.any_size.largest,
            ),
        )
    ]


def _size(proof: "Proof") -> str:
    text = _("{size:.1f} MB; the classifier file has {classifier:.1f} MB")
    if proof.float32_size is not None:
        text = _("{size:.1f} MB; {float32:.1f} MB in float32")
    return text.format(
        size=proof.size / 1e6,
        classifier=proof.classifier_size / 1e6,
        float32=(proof.float32_size or 0) / 1e6,
    )


def _time(proof: "Proof") -> str:
    text = _("{here:.2f} ms for an image; {classifier:.2f} ms in convlens")
    if proof.float32_milliseconds is not None:
        text = _("{here:.2f} ms for an image; {float32:.2f} ms in float32 on the same engine")
    return text.format(
        here=proof.milliseconds,
        classifier=proof.classifier_milliseconds,
        float32=proof.float32_milliseconds,
    )


def _default(proof: "Proof") -> list[tuple[str, str]]:
    """Return what OpenVINO does if it is not told, as a row, where that is something else."""
    if proof.default_type != "bf16":
        return []
    return [
        (
            _("default"),
            ngettext(
                "OpenVINO itself would compute in bfloat16 here; a probability would differ by "
                "{largest:.1e} at most, and {changed} class would change",
                "OpenVINO itself would compute in bfloat16 here; a probability would differ by "
                "{largest:.1e} at most, and {changed} classes would change",
                proof.default_changed or 0,
            ).format(largest=proof.default_largest, changed=proof.default_changed),
        )
    ]


def _next(folder: Path) -> list[tuple[str, str]]:
    """Return what to type next."""
    if (folder / "index.html").exists():
        return [
            (_("next"), SERVE.format(folder=shlex.quote(str(folder)))),
            (_("then open"), "http://127.0.0.1:8000"),
        ]
    program = shlex.quote(str(folder / "predict.py"))
    return [(_("next"), "python {path} IMAGE...".format(path=program))]


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
