"""`convlens summary`: the layers or stages of a network, as a table, as data, or as a figure."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from convlens import backend
from convlens.classifier.archive import no_classifier
from convlens.cli.summary_formats import PRINTERS, layer_facts, print_table, stage_facts
from convlens.config import Config
from convlens.errors import ConfigError, RunError
from convlens.files import write_atomically
from convlens.language import N_, _, again, listed, ngettext
from convlens.language_choice import using
from convlens.run_folder import folder_of
from convlens.screen import Screen
from convlens.sections import parse_size
from convlens.setting import refuse_outside
from convlens.zoo.names import NAMES, unknown_model

if TYPE_CHECKING:
    import keras

    from convlens.anatomy.summary import LayerRow

# The names of so many classes of a classifier are shown.
MOST_CLASSES = 8
# A network with more of them is larger than the memory of most computers.
MOST_TO_BUILD = 65536

Plot = Annotated[
    list[Path] | None,
    Parameter(
        consume_multiple=True,
        negative=(),
        help=N_("draw a figure to a .png or .svg file [<name>-architecture.png]"),
    ),
]


def summary(  # noqa: PLR0913 - options of the command
    name: Annotated[str, Parameter(help=N_("network, run or .keras file"))],
    *,
    size: Annotated[
        str | None,
        Parameter(help=N_("side of the images as 64, or height x width as 48x64 [the source's]")),
    ] = None,
    channels: Annotated[
        Literal["grey", "rgb"] | None, Parameter(help=N_("channels of the images [the source's]"))
    ] = None,
    classes: Annotated[int | None, Parameter(help=N_("number of classes [the source's]"))] = None,
    stem: Annotated[
        Literal["paper", "small"] | None, Parameter(help=N_("first layers, see convlens train"))
    ] = None,
    brief: Annotated[
        bool, Parameter(negative=(), help=N_("one row per stage: what works on maps of one size"))
    ] = False,
    like_keras: Annotated[
        bool, Parameter(negative=(), help=N_("print the table of Keras' model.summary()"))
    ] = False,
    plot: Plot = None,
    format: Annotated[  # noqa: A002 - the flag's name
        Literal["table", "markdown", "csv", "json"], Parameter(help=N_("how to print it"))
    ] = "table",
) -> None:
    """Show the layers of a network: outputs, parameters, multiply-adds and receptive fields.

    NAME is one of `convlens models`, a run, or a classifier's .keras file.
    """
    given = {"size": size, "channels": channels, "classes": classes, "stem": stem}
    path = _place_of(name)
    refuse_outside("--classes", classes, low=2, high=MOST_TO_BUILD)
    backend.start()
    model, shown, description = _find(
        name, path, {key: value for key, value in given.items() if value is not None}
    )
    if like_keras:
        model.summary(expand_nested=True)
        return
    import keras

    from convlens.anatomy.summary import layer_table

    if len(model.outputs) > 1 and (brief or plot is not None):
        model = keras.Model(model.inputs, model.outputs[0])
        description = _("{text} (here without its auxiliary heads)").format(text=description)
    rows = layer_table(model)
    if plot is not None:
        _draw(shown, rows, plot)
        return
    facts = stage_facts(rows) if brief else layer_facts(rows)
    if format != "table":
        PRINTERS[format](facts)
        return
    Console(emoji=False, highlight=False, soft_wrap=True).print(
        f"[bold]{escape(shown)}[/bold]  {escape(description)}\n"
    )
    print_table(facts)
    _print_totals(rows)


def _place_of(name: str) -> Path | None:
    """Return where a run or a classifier file lies, or None for the name of a network.

    Raises:
        RunError: If the name is a path, at which nothing lies.
        ClassifierError: If there is no such file.
        ModelError: If there is no such network.
    """
    if name in NAMES:
        return None
    path = Path(name) if Path(name).is_file() else folder_of(name)
    if path.exists():
        return path
    if name.endswith(".keras"):
        raise no_classifier(name)
    if len(Path(name).parts) > 1:
        raise RunError(_("{path}: there is no run and no classifier file here.").format(path=name))
    raise unknown_model(name)


def _find(name: str, path: Path | None, given: dict[str, Any]) -> tuple["keras.Model", str, str]:
    """Return a network of the zoo built as asked, or that of a run or classifier file.

    Returns:
        The model, its name and a line that describes it.
    """
    if path is None:
        return _of_zoo(name, given)
    if given:
        raise ConfigError(
            _("--{flag} is given by the classifier; leave it out.").format(flag=next(iter(given)))
        )
    from convlens.classifier.classifier import Classifier

    classifier = Classifier.load(path)
    names = list(classifier.class_names[:MOST_CLASSES])
    if len(classifier.class_names) > MOST_CLASSES:
        names.append("…")
    description = ngettext(
        "a classifier of {number:,} class: {names}",
        "a classifier of {number:,} classes: {names}",
        len(classifier.class_names),
    ).format(number=len(classifier.class_names), names=listed(names))
    return classifier.model, classifier.model.name, description


def _of_zoo(name: str, given: dict[str, Any]) -> tuple["keras.Model", str, str]:
    from convlens.zoo.create import create_model
    from convlens.zoo.registry import model_info

    info = model_info(name)
    height, width = parse_size(given["size"]) if "size" in given else info.input_shape[:2]
    depth = {"grey": 1, "rgb": 3}.get(given.get("channels", ""), info.input_shape[2])
    config = Config().replace(stem=given.get("stem", "paper")).model
    model = create_model(
        name, input_shape=(height, width, depth), num_classes=given.get("classes"), config=config
    )
    shown = name
    if "size" in given:
        shown = _("{name} at {height} x {width}").format(name=name, height=height, width=width)
    if config.stem == "small":
        shown = _("{name} with the small stem").format(name=shown)
    return model, shown, f"{info.year}  {_(info.summary)}"


def _print_totals(rows: list["LayerRow"]) -> None:
    from convlens.anatomy.summary import rounded

    params = sum(row.params for row in rows)
    trainable = sum(row.trainable for row in rows)
    multiply_adds = sum(row.multiply_adds for row in rows)
    last = [row for row in rows if row.stride is not None][-1]
    shape = "x".join(map(str, last.output_shape))
    sees = _("a value of the last map, {shape}, depends on the whole image").format(shape=shape)
    if last.receptive_field:
        height, width = last.receptive_field
        sees = _("a value of the last map, {shape}, depends on {height} x {width} pixels").format(
            shape=shape, height=height, width=width
        )
    screen = Screen()
    screen.say()
    screen.facts(
        [
            (
                _("parameters"),
                _("{params:,}: {trainable:,} trainable, {fixed:,} not").format(
                    params=params, trainable=trainable, fixed=params - trainable
                ),
            ),
            (
                _("multiply-adds"),
                _("{exact:,} on an image ({rounded})").format(
                    exact=multiply_adds, rounded=rounded(multiply_adds)
                ),
            ),
            (_("sees"), sees),
            (_("weights"), _("{size:,.1f} MB in float32").format(size=4 * params / 1e6)),
        ]
    )


def _draw(name: str, rows: list["LayerRow"], paths: list[Path]) -> None:
    """Draw the stages of a network and save the figure."""
    if len(paths) > 1:
        raise ConfigError(
            _("--plot takes one file; found {paths}.").format(paths=listed(map(str, paths)))
        )
    with using("en"):  # as all names of files
        default = Path(re.sub(r"[^\w.]+", "-", f"{again(name)} architecture.png"))
    path = paths[0] if paths else default
    if path.suffix.lower() not in (".png", ".svg"):
        raise ConfigError(
            _("--plot must name a .png or .svg file; found {path}.").format(path=path)
        )
    from convlens.anatomy.stages import divide
    from convlens.charts.architecture import show_architecture

    figure = show_architecture(divide(rows), name)
    write_atomically(path, lambda file: figure.savefig(file, dpi=150), _("the figure"))
    Screen().facts([(_("architecture"), str(path))])
