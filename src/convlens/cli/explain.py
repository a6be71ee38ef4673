"""`convlens explain`: why a network gave its answer, with maps that carry their evidence."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.console import Console

from convlens import backend
from convlens.classifier.class_names import refuse_same_class
from convlens.cli.names import refuse_missing_images, refuse_unknown_classes
from convlens.cli.output import check_suffix, print_json, write_figure, write_file
from convlens.cli.predict import load_classifier
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError, DataError, ImageError
from convlens.language import N_, _
from convlens.run_access import find, find_classifier
from convlens.screen import Screen, marked
from convlens.setting import refuse_outside
from convlens.zoo.names import refuse_unknown_model

if TYPE_CHECKING:
    from convlens.data.dataset import Dataset
    from convlens.explain.why.question import Question
    from convlens.maps.explanation import Explanation
    from convlens.run import Run

Method = Literal["exact", "occlusion", "rise", "gradient", "grad-cam"]


Name = Annotated[str | None, Parameter(help=N_("run or .keras file"))]
Images = Annotated[str, Parameter(allow_leading_hyphen=True, help=N_("files, folders or globs"))]
Label = Annotated[
    str | None, Parameter(name="--class", help=N_("the class to explain [the predicted one]"))
]
Against = Annotated[
    str | None,
    Parameter(help=N_("explain the class against this one, as the difference of two maps")),
]
Methods = Annotated[
    list[Method] | None,
    Parameter(
        negative=(),
        help=N_(
            "how the map is made; may be repeated [exact where the network allows it, else "
            "occlusion]"
        ),
    ),
]
Trust = Annotated[
    bool,
    Parameter(
        negative=(), help=N_("measure on test images of the run which methods may be trusted")
    ),
]
Number = Annotated[
    int | None, Parameter(name="--images", help=N_("number of test images for --check [200]"))
]
Neighbours = Annotated[int | None, Parameter(help=N_("number of near training images to name [3]"))]
Data = Annotated[
    str | None, Parameter(help=N_("the images of the run, where they lie elsewhere now"))
]
Model = Annotated[str | None, Parameter(help=N_("a network with trained weights, in place of RUN"))]


@Parameter(name="*")
@dataclass(frozen=True)
class Files:
    """What is printed and written."""

    png: Annotated[
        Path | None, Parameter(help=N_("write the maps over the images as a figure"))
    ] = None
    html: Annotated[
        Path | None,
        Parameter(
            help=N_("write a page that needs no server, with all that is known of each answer")
        ),
    ] = None
    format: Annotated[
        Literal["table", "json"], Parameter(help=N_("how to print; json has every number"))
    ] = "table"

    @property
    def as_json(self) -> bool:
        """Whether the standard output belongs to JSON."""
        return self.format == "json"


NO_FILES = Files()


def explain(  # noqa: PLR0913 - options of the command
    run: Name = None,
    /,
    *images: Images,
    label: Label = None,
    against: Against = None,
    method: Methods = None,
    check: Trust = False,
    number: Number = None,
    neighbours: Neighbours = None,
    data: Data = None,
    model: Model = None,
    files: Files = NO_FILES,
) -> int:
    """Say why a network gave its answer for images, with maps that carry their evidence.

    Returns:
        The exit code: 3 if some images could not be read, which are printed to stderr.

    Raises:
        ConfigError: If the flags do not go together, or if a class or a method is unknown.
        ModelError: If the network cannot be explained, or has not got a method.
        DataError: If no image can be read.
    """
    from convlens.explain.why.question import NEIGHBOURS, Question

    words = [word for word in (model, run, *images) if word is not None]
    check_suffix("--png", files.png)
    check_suffix("--html", files.html)
    flags = {"check": check, "images": number, "class": label, "against": against}
    flags |= {"neighbours": neighbours, "data": data, "model": model}
    refuse_conflicts("explain", flags | {"png": files.png, "html": files.html})
    _check_words(words, check=check)
    refuse_outside("--images", number, low=1)
    refuse_outside("--neighbours", neighbours, low=0)
    if label is not None:
        refuse_same_class(label, against)
    screen = Screen(quiet=files.as_json)
    methods = None if method is None else tuple(method)
    if check:
        from convlens.cli.explain_check import show_trust

        find(words[0])
        show_trust(words[0], methods, number, data, screen, as_json=files.as_json)
        return 0
    question = Question(label, against, methods, NEIGHBOURS if neighbours is None else neighbours)
    found, skipped = _explanations(words, question, model, data, screen)
    _show(found, Path(words[0]).resolve().name, files, skipped)
    return DataError.exit_code if skipped else 0


def _show(found: "list[Explanation]", network: str, files: Files, skipped: list[str]) -> None:
    """Print explanations and write them to files.

    Args:
        found: The explanations.
        network: The name of the network.
        files: What is printed and written.
        skipped: What is wrong with each image that cannot be read.
    """
    if files.as_json:
        print_json([one.to_dict() for one in found], indent=1)
    else:
        from convlens.explain.why.terminal import print_explanations

        print_explanations(found)
    if files.png is not None:
        from convlens.explain.why.figure import draw_explanations

        write_figure(files.png, draw_explanations(found), dpi=150, quiet=files.as_json)
    if files.html is not None:
        from convlens.explain.why.page import render

        page = render(found, network, skipped)
        write_file(files.html, page, _("the page"), quiet=files.as_json)


def _explanations(
    words: list[str], question: "Question", model: str | None, data: str | None, screen: Screen
) -> "tuple[list[Explanation], list[str]]":
    """Return the explanations of the images that can be read, and what is wrong with the others.

    Args:
        words: The run or the network, and the images.
        question: What is asked of each image.
        model: The name of a network with trained weights, in place of a run.
        data: Where the images of the run lie now.
        screen: Where notes and the progress are shown.
    """
    from convlens.cli.predict_images import find_images
    from convlens.image_file import none_readable

    paths, notes = find_images(words[1:])
    for note in notes:
        screen.note(note)
    if model is not None:
        refuse_unknown_model(model)
    path = None if model is not None else find_classifier(words[0])
    refuse_unknown_classes(path, question.label, question.against)
    skipped: list[str] = []
    errors = Console(emoji=False, stderr=True, highlight=False, soft_wrap=True)

    def skip(error: ImageError) -> None:
        skipped.append(error.args[0])
        errors.print(marked(_("skipped"), "yellow", str(error)))

    told = skip if len(paths) > 1 else None
    refuse_missing_images(paths, told)
    backend.start()
    from convlens.explain.why.of_run import explain_images

    opened = None if path is None else _run_of(path)
    found = explain_images(
        load_classifier(path, model, None),
        paths,
        question,
        screen,
        run=opened,
        dataset=None if opened is None else images_of(opened, data),
        skip=told,
    )
    if not found:
        raise none_readable(len(paths))
    return found, skipped


def _check_words(words: list[str], *, check: bool) -> None:
    """Raise ConfigError if the run or the images are missing, or if a word is left over."""
    if not words or (len(words) == 1 and not check):
        raise ConfigError(
            _(
                "say which images: convlens explain RUN IMAGE..., or --model NAME IMAGE...; or "
                "convlens explain RUN --check."
            )
        )
    unknown = [word for word in words[1:] if word.startswith("--")]
    if unknown:
        message = _("unknown option: {word} (convlens explain --help).")
        raise ConfigError(message.format(word=unknown[0]))
    if check and len(words) > 1:
        raise ConfigError(
            _("--check takes the test images of the run; left over: {words}.").format(
                words=" ".join(words[1:])
            )
        )


def _run_of(path: Path) -> "Run | None":
    """Return the run whose classifier a file is, or None for a file elsewhere."""
    from convlens.run import Run
    from convlens.run_folder import is_of_run

    return Run(path.parent) if is_of_run(path) else None


def images_of(run: "Run", data: str | None) -> "Dataset | None":
    """Return the images of a run, if they lie elsewhere now."""
    return None if data is None else run.load_images(data)
