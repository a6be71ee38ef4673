"""`convlens lesson`: list the lessons, run one, or write its notebook."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from convlens.cli.output import refuse_folder
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError, DataError
from convlens.files import expanded
from convlens.language import N_, _, listed
from convlens.screen import Screen

if TYPE_CHECKING:
    from nbformat import NotebookNode

EXAMPLES = N_("""
convlens lesson 001                      its sections
convlens lesson 001 --run --quick        run it in under a minute, on images that come with convlens
convlens lesson 001 --run --data mnist=FOLDER --notebook     run it on your images, and keep it""")

Quick = Annotated[
    bool,
    Parameter(negative=(), help=N_("use images that come with convlens, for less than a minute")),
]
Notebook = Annotated[
    list[Path] | None,
    Parameter(
        consume_multiple=(0, 1),
        negative=(),
        help=N_("write the notebook, with its outputs if it is run [lesson-NUMBER.ipynb]"),
    ),
]
Data = Annotated[
    list[str] | None,
    Parameter(
        negative=(),
        help=N_(
            "NAME=PATH for mnist, fashion_mnist, cifar10 or cats_dogs, or a folder that has "
            "them under these names"
        ),
    ),
]


def lesson(
    *numbers: Annotated[str, Parameter(help=N_("000 to 005, or all"))],
    run: Annotated[
        bool, Parameter(negative=(), help=N_("run every cell; plots and runs go into a folder"))
    ] = False,
    quick: Quick = False,
    notebook: Notebook = None,
    data: Data = None,
    folder: Annotated[
        Path | None, Parameter(help=N_("folder for plots and runs [runs/lesson-NUMBER]"))
    ] = None,
    table: Annotated[Path | None, Parameter(help=N_("write the results as Markdown"))] = None,
) -> None:
    """List the lessons, run one on your images, or write its notebook."""
    flags = {
        "number": numbers,
        "run": run,
        "quick": quick,
        "notebook": notebook,
        "data": data,
        "folder": folder,
        "table": table,
    }
    refuse_conflicts("lesson", flags)
    refuse_folder("--table", table, "results.md")
    from convlens.lessons.notebook import find_lessons, read_notebook, refuse_existing

    screen = Screen()
    sources = find_lessons()
    if not numbers:
        screen.say("\n".join(source.headings[0] for source in sources.values()))
        screen.say(_(EXAMPLES))
        return
    chosen = _choose(numbers, list(sources))
    if not run and notebook is None:
        _outline(screen, {number: sources[number].headings for number in chosen})
        return
    files = {number: _notebook_path(notebook, number, len(chosen)) for number in chosen}
    for path in filter(None, files.values()):
        refuse_existing(path)
    places = _places(data or [], screen)
    notebooks = {}
    for number in chosen:
        own = folder
        if folder is not None and len(chosen) > 1:
            own = folder / "lesson-{number}".format(number=number)
        notebooks[number] = read_notebook(sources[number], quick=quick, data=places, folder=own)
    _carry_out(notebooks, files, run=run, table=table, screen=screen)


def _carry_out(
    notebooks: Mapping[str, "NotebookNode"],
    files: Mapping[str, Path | None],
    *,
    run: bool,
    table: Path | None,
    screen: Screen,
) -> None:
    """Run notebooks or only write them, and print their results.

    Args:
        notebooks: The notebooks by the numbers of their lessons.
        files: The file for each notebook, or None where it is not written.
        run: Whether the cells are run.
        table: The file for the table of results, or None.
        screen: Where the progress is shown.
    """
    from convlens.lessons.notebook import run_notebook, write_notebook
    from convlens.lessons.table import Result, result_rows, write_table

    results: list[Result] = []
    for number, notebook in notebooks.items():
        if run:
            done = run_notebook(notebook, screen)
            results += done.results
            screen.say(_("plots and runs are in {folder}").format(folder=done.folder))
        if table is not None:  # after each lesson, so that a later failure loses nothing
            write_table(table, results)
        if (path := files[number]) is not None:
            write_notebook(notebook, path)
            screen.facts([(_("notebook"), str(path))])
    if results:
        screen.say()
        screen.columns(result_rows(results), left=(0, 1))
    if table is not None:
        screen.say()
        screen.facts([(_("table"), str(table))])


def _choose(numbers: Sequence[str], known: Sequence[str]) -> Sequence[str]:
    """Return the numbers of the lessons in three digits, each once; "all" stands for all."""
    if list(numbers) == ["all"]:
        return known
    for number in numbers:
        if number.zfill(3) not in known:
            raise ConfigError(
                _("a lesson must be one of {known}, or all; found {number!r}.").format(
                    known=listed(known), number=number
                )
            )
    return list(dict.fromkeys(number.zfill(3) for number in numbers))


def _outline(screen: Screen, headings: Mapping[str, Sequence[str]]) -> None:
    """Print the title and the sections of each lesson by its number, and what to type next."""
    for title, *sections in headings.values():
        screen.say(title, "bold")
        screen.say("".join("  {section}\n".format(section=section) for section in sections))
    screen.say(
        _("to run: convlens lesson {numbers} --run; with --quick in under a minute").format(
            numbers=" ".join(headings)
        )
    )


def _notebook_path(given: Sequence[Path] | None, number: str, lessons: int) -> Path | None:
    """Return the file for the notebook of a lesson.

    Args:
        given: None if no notebook is written; empty for the default file; or a file or a folder.
        number: The number of the lesson.
        lessons: How many lessons there are; several notebooks go into a folder.
    """
    if given is None:
        return None
    name = "lesson-{number}.ipynb".format(number=number)
    if not given:
        return Path(name)
    if lessons > 1 or given[0].is_dir():
        return given[0] / name
    if given[0].suffix != ".ipynb":
        raise ConfigError(
            _("--notebook must be a file NAME.ipynb or a folder; found {path}.").format(
                path=given[0]
            )
        )
    return given[0]


def _places(words: Sequence[str], screen: Screen) -> dict[str, str]:
    """Return the places of data sets by name, as `--data` gives them."""
    from convlens.lessons.lesson import STAND_INS

    places: dict[str, str] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals:
            places |= _in_folder(expanded(word), screen)
        elif name not in STAND_INS:
            raise ConfigError(
                _("--data must be NAME=PATH with a NAME of {names}; found {word!r}.").format(
                    names=listed(STAND_INS), word=word
                )
            )
        elif not expanded(path).exists():
            raise DataError(
                _("{path}: there is no such file or folder, for --data {name}=PATH.").format(
                    path=path, name=name
                )
            )
        else:
            places[name] = path
    return places


def _in_folder(folder: Path, screen: Screen) -> dict[str, str]:
    """Return the data sets in a folder by name, as `mnist/` or `cifar10.npz`.

    A note names those that cannot be read.
    """
    from convlens.data.sources import load_data
    from convlens.lessons.lesson import STAND_INS

    if not folder.is_dir():
        raise DataError(
            _("{folder}: --data must be NAME=PATH, or a folder that has data sets by name.").format(
                folder=folder
            )
        )
    found: dict[str, str] = {}
    for name in STAND_INS:
        for path in (folder / "{name}.npz".format(name=name), folder / name):
            if name in found or not path.exists():
                continue
            try:
                load_data(path)
            except DataError as error:
                screen.note(_("passed over: {error}").format(error=error.args[0]))
            else:
                found[name] = str(path)
    return found
