"""`convlens summary`: a network layer by layer, or stage by stage, as a table, for other programs, and as an image."""

import csv
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from convlens import backend
from convlens.config import Config
from convlens.errors import ConfigError, RunError, StorageError

if TYPE_CHECKING:
    import keras

    from convlens.anatomy.stages import Stage
    from convlens.anatomy.summary import LayerRow


WORDS = (
    "layer",
    "kind",
    "output",
    "map",
    "what works on it",
)  # columns to the left; the others hold numbers
SHORTER = (
    ("Normalization", "Norm"),
    ("Pooling", "Pool"),
    ("Average", "Avg"),
    ("Padding", "Pad"),
)  # on the screen
FOLDED = {
    "layer": 14,
    "kind": 10,
    "what works on it": 16,
}  # least widths of columns whose cells may be folded
LESS_ASKED = (
    "stride",
    "% of parameters",
    "% of multiply-adds",
    "kind",
)  # left out first where there is no room
Fact = dict[str, str | int | float]


@dataclass(frozen=True)
class _Network:
    """A model to be summarised, and what is said of it first."""

    model: "keras.Model"
    name: str
    said: str

    def without_auxiliary_heads(self) -> "_Network":
        """Return the way from the image to the answer."""
        import keras

        if len(self.model.outputs) == 1:
            return self
        model = keras.Model(self.model.inputs, self.model.outputs[0])
        return _Network(model, self.name, f"{self.said} (here without its auxiliary heads)")


def summary(  # noqa: PLR0913 - options of the command
    name: str,
    *,
    size: Annotated[
        str | None,
        Parameter(help="images' side as 64, or height x width as 48x64 [the source's]"),
    ] = None,
    channels: Annotated[
        Literal["grey", "rgb"] | None, Parameter(help="of the images [the source's]")
    ] = None,
    classes: Annotated[int | None, Parameter(help="number of classes [the source's]")] = None,
    stem: Annotated[
        Literal["paper", "small"] | None, Parameter(help="first layers, see convlens train")
    ] = None,
    brief: Annotated[
        bool, Parameter(negative=(), help="a row a stage: what works on maps of one size")
    ] = False,
    like_keras: Annotated[
        bool, Parameter(negative=(), help="the table of Keras' model.summary()")
    ] = False,
    plot: Annotated[
        list[Path] | None,
        Parameter(
            consume_multiple=True,
            negative=(),
            help="draw it: a .png or .svg file [<name>-architecture.png]",
        ),
    ] = None,
    format: Annotated[  # noqa: A002 - the flag's name
        Literal["table", "markdown", "csv", "json"], Parameter(help="how to print it")
    ] = "table",
) -> None:
    """Show a network's layers: output, parameters, multiply-adds, and how much of the image a value sees.

    NAME is one of `convlens models`, a run, or a classifier's .keras file.
    """
    given = {"size": size, "channels": channels, "classes": classes, "stem": stem}
    backend.start()
    network = _find(name, {key: value for key, value in given.items() if value is not None})
    if like_keras:
        network.model.summary(expand_nested=True)
        return
    from convlens.anatomy.summary import layer_table

    told = network.without_auxiliary_heads() if brief or plot is not None else network
    rows = layer_table(told.model)
    if plot is not None:
        _draw(network.name, rows, plot)
        return
    facts = _stage_facts(rows) if brief else _layer_facts(rows)
    if format == "table":
        Console(highlight=False, soft_wrap=True).print(
            f"[bold]{escape(network.name)}[/bold]  {escape(told.said)}\n"
        )
        _print_table(facts)
        _print_totals(rows)
    else:
        {"markdown": _markdown, "csv": _csv, "json": _json}[format](facts)


def _find(name: str, given: dict[str, Any]) -> _Network:
    """Return a network of the zoo built as asked, or the one of a run or classifier file."""
    from convlens.run import Run
    from convlens.zoo.create import create_model
    from convlens.zoo.registry import list_models, model_info

    path = Path(name) if Path(name).exists() or name.endswith(".keras") else Run.place(name)
    if name not in list_models() and (path.exists() or path.suffix == ".keras"):
        if given:
            raise ConfigError(f"--{next(iter(given))} is given by the classifier; leave it out.")
        from convlens.classifier.classifier import Classifier

        classifier = Classifier.load(path)
        classes = classifier.class_names
        said = f"a classifier of {len(classes):,} classes: {', '.join(classes[:8])}{', …' * (len(classes) > 8)}"
        return _Network(classifier.model, classifier.model.name, said)
    from convlens.data.prepared import parse_size

    if len(Path(name).parts) > 1:
        raise RunError(f"{name}: there is no run and no classifier file here.")
    info = model_info(name)
    height, width = parse_size(given["size"]) if "size" in given else info.input_shape[:2]
    depth = {"grey": 1, "rgb": 3}.get(given.get("channels", ""), info.input_shape[2])
    config = Config().replace(**({"stem": given["stem"]} if "stem" in given else {})).model
    model = create_model(
        name, input_shape=(height, width, depth), num_classes=given.get("classes"), config=config
    )
    shown = name + (f" at {height} x {width}" if "size" in given else "")
    shown += " with the small stem" if config.stem == "small" else ""
    return _Network(model, shown, f"{info.year}  {info.summary}")


def _layer_facts(rows: list["LayerRow"]) -> list[Fact]:
    return [
        {
            "layer": row.name,
            "kind": row.kind,
            "output": _by(row.output_shape),
            **_numbers(row, rows),
            "stride": _side(row.stride) if row.stride else "",
        }
        for row in rows
    ]


def _stage_facts(rows: list["LayerRow"]) -> list[Fact]:
    from convlens.anatomy.describe import describe
    from convlens.anatomy.stages import divide

    return [
        {
            "map": _by(stage.output_shape),
            "what works on it": "\n".join(describe(stage.parts)),
            **_numbers(stage, rows),
        }
        for stage in divide(rows)
    ]


def _numbers(part: "LayerRow | Stage", rows: list["LayerRow"]) -> Fact:
    """Return what a layer or stage learns and computes, its percentages of the network, and what it sees."""
    params, multiply_adds = sum(row.params for row in rows), sum(row.multiply_adds for row in rows)
    return {
        "parameters": part.params,
        "% of parameters": round(100 * part.params / max(params, 1), 2),
        "multiply-adds": part.multiply_adds,
        "% of multiply-adds": round(100 * part.multiply_adds / max(multiply_adds, 1), 2),
        "sees": _side(part.receptive_field) if part.receptive_field else "all",
    }


def _by(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _side(pair: tuple[int, int]) -> str:
    """Return (height, width) as "7", or as "7x5" where they differ."""
    return str(pair[0]) if pair[0] == pair[1] else _by(pair)


def _print_table(facts: list[Fact]) -> None:
    """Print the facts; columns for which the terminal is too narrow are left out, and named, rather than cut."""
    console, left_out = Console(highlight=False), []
    for head in LESS_ASKED:
        if _least_width(facts) > console.width and head in facts[0]:
            facts = [
                {other: value for other, value in fact.items() if other != head} for fact in facts
            ]
            left_out.append(head)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    spare = max(0, console.width - _least_width(facts))
    for head in facts[0]:
        side: Literal["left", "right"] = "left" if head in WORDS else "right"
        if head in FOLDED:
            longest = max(
                len(line) for fact in facts for line in _cell(head, fact[head]).splitlines() or [""]
            )
            more = min(spare, max(0, longest - FOLDED[head]))
            spare -= more
            table.add_column(_short(head), justify=side, overflow="fold", width=FOLDED[head] + more)
        else:
            table.add_column(_short(head), justify=side, no_wrap=True)
    for fact in facts:
        table.add_row(*(escape(_cell(head, value)) for head, value in fact.items()))
    Console(highlight=False, width=max(console.width, _least_width(facts))).print(table)
    if left_out:
        console.print(f"[dim]in a wider terminal also: {', '.join(left_out)}[/dim]", soft_wrap=True)


def _least_width(facts: list[Fact]) -> int:
    """Return the columns that a table needs: names may be folded, numbers not."""
    widths = (
        FOLDED.get(head)
        or max(len(_short(head)), *(len(_cell(head, fact[head])) for fact in facts))
        for head in facts[0]
    )
    return sum(widths) + 2 * len(facts[0])


def _short(head: str) -> str:
    return "%" if head.startswith("%") else head.replace("multiply", "mult")


def _cell(head: str, value: str | float) -> str:
    from convlens.anatomy.summary import rounded

    if not value:
        return ""
    if isinstance(value, str):
        for long, short in SHORTER if head == "kind" else ():
            value = value.replace(long, short)
        return value
    return (
        rounded(int(value))
        if head == "multiply-adds"
        else f"{value:,}"
        if head == "parameters"
        else f"{value:.1f}"
    )


def _print_totals(rows: list["LayerRow"]) -> None:
    from convlens.anatomy.summary import rounded
    from convlens.screen import Screen

    params, trainable = sum(row.params for row in rows), sum(row.trainable for row in rows)
    multiply_adds = sum(row.multiply_adds for row in rows)
    last = [row for row in rows if row.stride is not None][-1]
    field = last.receptive_field
    sees = f"{field[0]} x {field[1]} pixels" if field else "the whole image"
    screen = Screen()
    screen.say()
    screen.facts(
        [
            ("parameters", f"{params:,}: {trainable:,} trainable, {params - trainable:,} not"),
            ("multiply-adds", f"{multiply_adds:,} on an image ({rounded(multiply_adds)})"),
            ("sees", f"a value of the last map, {_by(last.output_shape)}, depends on {sees}"),
            ("weights", f"{4 * params / 1e6:,.1f} MB in float32"),
        ]
    )


def _draw(name: str, rows: list["LayerRow"], paths: list[Path]) -> None:
    if len(paths) > 1:
        raise ConfigError(f"--plot takes one file; found {', '.join(map(str, paths))}.")
    path = paths[0] if paths else Path(re.sub(r"[^\w.]+", "-", f"{name} architecture.png"))
    if path.suffix.lower() not in (".png", ".svg"):
        raise ConfigError(f"--plot must name a .png or .svg file; found {path}.")
    from convlens.anatomy.stages import divide
    from convlens.charts.architecture import show_architecture

    figure = show_architecture(divide(rows), name)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise StorageError(
            f"{path}: the image cannot be written; {error.strerror or error}."
        ) from error
    Console(highlight=False, soft_wrap=True).print(f"architecture  {escape(str(path))}")


def _markdown(facts: list[Fact]) -> None:
    heads = list(facts[0])
    lines = [
        f"| {' | '.join(heads)} |",
        f"|{'|'.join('---' if head in WORDS else '---:' for head in heads)}|",
    ]
    for fact in facts:
        cells = (f"{value:,}" if isinstance(value, int) else str(value) for value in fact.values())
        lines.append(
            f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), '<br>') for cell in cells)} |"
        )
    print("\n".join(lines))  # noqa: T201


def _csv(facts: list[Fact]) -> None:
    writer = csv.DictWriter(sys.stdout, list(facts[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(facts)


def _json(facts: list[Fact]) -> None:
    print(json.dumps(facts, ensure_ascii=False, indent=1))  # noqa: T201
