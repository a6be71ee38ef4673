"""`convlens models`: the networks by name."""

import textwrap
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from convlens import backend

if TYPE_CHECKING:
    from convlens.zoo.registry import ModelInfo


HEADS = ("model", "year", "input", "params", "mult-adds", "least", "weights")
# The columns of numbers, which are aligned to the right.
RIGHT = (1, 2, 3, 4, 5)
# The descriptions stand beside the numbers if there are at least so many characters left for them,
# otherwise below.
BESIDE = 46
LECTURES = "from the lectures"
PAPERS = "from papers"
# The groups of the models by their module; all others are from papers.
GROUPS = {
    "ours": "ours",
    "lectures": LECTURES,
}
PAGE = """# Models

Every network of the zoo, made by `make docs`; `convlens models` prints the same.

Parameters and multiply-adds are those at the input and the number of classes of the source.
Parameters are all of them, moving statistics of normalisations included. Multiply-adds are those of
convolutions and dense layers on one image, where one multiplication with its addition is one;
biases, normalisation, activations and pooling are left out. The least size is the side of the
smallest square image that the network takes. Any larger image can be used, square or not.
`convlens summary MODEL` shows every layer.

| model | year | input | parameters | multiply-adds | least size | trained weights | what it is |
|---|---|---|---:|---:|---:|---|---|
"""


def list_table() -> None:
    """Print a row for each network, in groups, with its description beside it or below."""
    backend.start()
    groups = _groups()
    rows = {info.name: _cells(info) for _, infos in groups for info in infos}
    widths = [max(map(len, column)) for column in zip(HEADS, *rows.values(), strict=True)]

    def line(row: tuple[str, ...]) -> str:
        cells = [
            text.rjust(width) if place in RIGHT else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells)

    console = Console(highlight=False, soft_wrap=True)
    heads = line(HEADS)
    beside = console.width - len(heads) - 2 >= BESIDE
    indent = " " * (len(heads) + 2 if beside else 4)
    console.print(f"{heads}  what it is" if beside else heads.rstrip(), style="dim")
    for title, infos in groups:
        console.print(f"\n[dim]{title}[/dim]")
        for info in infos:
            description = textwrap.wrap(info.summary, console.width - len(indent))
            first = f"  {escape(description.pop(0))}" if beside else ""
            numbers = line(rows[info.name]).removeprefix(info.name)
            console.print(f"[bold]{escape(info.name)}[/bold]{numbers}{first}".rstrip())
            for more in description:
                console.print(f"{indent}{escape(more)}", style=None if beside else "dim")


def _cells(info: "ModelInfo") -> tuple[str, ...]:
    from convlens.anatomy.summary import rounded

    return (
        info.name,
        str(info.year),
        "x".join(map(str, info.input_shape)),
        rounded(info.num_params),
        rounded(info.multiply_adds),
        str(info.least_side or "-"),
        info.weights.name if info.weights else "-",
    )


def print_page() -> None:
    """Print docs/models.md."""
    backend.start()
    print(models_page(), end="")  # noqa: T201


def models_page() -> str:
    """Return docs/models.md, which lists every network with its numbers."""
    lines = []
    for _, infos in _groups():
        for info in infos:
            cells = (
                f"`{info.name}`",
                str(info.year),
                " x ".join(map(str, info.input_shape)),
                f"{info.num_params:,}",
                f"{info.multiply_adds:,}",
                str(info.least_side or "-"),
                info.weights.name if info.weights else "-",
                info.summary.replace("|", "\\|"),
            )
            lines.append(f"| {' | '.join(cells)} |")
    return PAGE + "\n".join(lines) + "\n"


def _groups() -> list[tuple[str, list["ModelInfo"]]]:
    """Return the titles and networks of the groups, each sorted by year and name."""
    from convlens.zoo.registry import list_models, model_info

    groups: dict[str, list[ModelInfo]] = {"ours": [], LECTURES: [], PAPERS: []}
    for info in sorted(map(model_info, list_models()), key=lambda info: (info.year, info.name)):
        module = info.builder.__module__.rpartition(".")[2]
        groups[GROUPS.get(module, PAPERS)].append(info)
    return [(title, infos) for title, infos in groups.items() if infos]
