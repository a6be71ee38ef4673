"""`convlens models`: the networks by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from convlens import backend
from convlens.columns import aligned
from convlens.language import N_, _
from convlens.text import wrapped

if TYPE_CHECKING:
    from convlens.zoo.registry import ModelInfo

HEADS = (
    N_("model"),
    N_("year"),
    N_("input"),
    N_("params"),
    N_("mult-adds"),
    N_("least"),
    N_("weights"),
)
WORDS = (0, 6)  # the columns of words; those of numbers are aligned to the right
# The descriptions stand beside the numbers if there are at least so many characters left for them,
# otherwise below.
BESIDE = 46
OURS = N_("ours")
LECTURES = N_("from the lectures")
PAPERS = N_("from papers")
# The groups of the models by their module; all others are from papers.
GROUPS = {
    "ours": OURS,
    "lectures": LECTURES,
}
PAGE = N_("""# Models

English · [繁體中文](models.zh-TW.md)

Every network of the zoo, made by `make docs`; `convlens models` prints the same.

Parameters and multiply-adds are those at the input and the number of classes of the source.
Parameters are all of them, moving statistics of normalisations included. Multiply-adds are those of
convolutions and dense layers on one image, where one multiplication with its addition is one;
biases, normalisation, activations and pooling are left out. The least size is the side of the
smallest square image that the network takes. Any larger image can be used, square or not.
`convlens summary MODEL` shows every layer.

| model | year | input | parameters | multiply-adds | least size | trained weights | what it is |
|---|---|---|---:|---:|---:|---|---|
""")


def models(
    *,
    markdown: Annotated[
        bool, Parameter(negative=(), help=N_("print the page docs/models.md, with exact numbers"))
    ] = False,
) -> None:
    """List the networks: year, input, size, cost, smallest images and trained weights."""
    backend.start()
    if markdown:
        print(models_page(), end="")  # noqa: T201
    else:
        list_table()


def list_table() -> None:
    """Print a row for each network, in groups, with its description beside it or below."""
    from convlens.anatomy.summary import rounded

    groups = _groups()
    rows = {info.name: _cells(info, rounded) for title, infos in groups for info in infos}
    headings = tuple(map(_, HEADS))
    heads, *lines = [line.plain for line in aligned([headings, *rows.values()], WORDS)]
    line_of = dict(zip(rows, lines, strict=True))
    console = Console(emoji=False, highlight=False, soft_wrap=True)
    beside = console.width - cell_len(heads) - 2 >= BESIDE
    indent = " " * (cell_len(heads) + 2 if beside else 4)
    summary_heading = _("what it is")
    console.print(f"{heads}  {summary_heading}" if beside else heads.rstrip(), style="dim")
    for title, infos in groups:
        console.print(f"\n[dim]{_(title)}[/dim]")
        for info in infos:
            line = line_of[info.name]
            begin = f"{line}  " if beside else f"{line.rstrip()}\n{indent}"
            summary = wrapped(_(info.summary), console.width - len(indent))
            text = Text(begin + f"\n{indent}".join(summary))
            text.stylize("bold", 0, len(info.name))
            if not beside:
                text.stylize("dim", len(begin))
            console.print(text)


def models_page() -> str:
    """Return docs/models.md, which lists every network with its numbers.

    In Chinese, the page is docs/models.zh-TW.md.
    """
    lines = []
    for _title, infos in _groups():
        for info in infos:
            _name, year, size, *others = _cells(info, "{:,}".format)
            cells = (
                f"`{info.name}`",
                year,
                size.replace("x", " x "),
                *others,
                _(info.summary).replace("|", "\\|"),
            )
            lines.append(f"| {' | '.join(cells)} |\n")
    return _(PAGE) + "".join(lines)


def _cells(info: "ModelInfo", written: Callable[[int], str]) -> tuple[str, ...]:
    """Return the cells of a network, as in `HEADS`, with its large numbers as `written`."""
    return (
        info.name,
        str(info.year),
        "x".join(map(str, info.input_shape)),
        written(info.num_params),
        written(info.multiply_adds),
        str(info.least_side or "-"),
        info.weights.name if info.weights else "-",
    )


def _groups() -> list[tuple[str, list["ModelInfo"]]]:
    """Return the titles and networks of the groups, each sorted by year and name."""
    from convlens.zoo.registry import list_models, model_info

    groups: dict[str, list[ModelInfo]] = {OURS: [], LECTURES: [], PAPERS: []}
    for info in sorted(map(model_info, list_models()), key=lambda info: (info.year, info.name)):
        module = info.builder.__module__.rpartition(".")[2]
        groups[GROUPS.get(module, PAPERS)].append(info)
    return [(title, infos) for title, infos in groups.items() if infos]
