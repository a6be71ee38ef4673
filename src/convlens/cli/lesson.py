"""`convlens lesson`: list the lessons, run one, write its notebook."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError, DataError
from convlens.screen import Screen


def lesson(
    *numbers: Annotated[str, Parameter(help="000 to 004, or all")],
    run: Annotated[
        bool, Parameter(negative=(), help="run every cell; plots and runs go into a folder")
    ] = False,
    quick: Annotated[
        bool,
        Parameter(negative=(), help="on images that come with the installation, in under a minute"),
    ] = False,
    notebook: Annotated[
        list[Path] | None,
        Parameter(
            consume_multiple=(0, 1),
            help="write the .ipynb, with --run its outputs too [lesson-NUMBER.ipynb]",
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        Parameter(
            help="NAME=PATH of mnist, fashion_mnist, cifar10 or cats_dogs; or a folder that has them by name"
        ),
    ] = None,
    folder: Annotated[
        Path | None, Parameter(help="for plots and runs [runs/lesson-NUMBER]")
    ] = None,
    table: Annotated[Path | None, Parameter(help="write the results as Markdown")] = None,
) -> None:
    """List the lessons of the five lectures, run one on your images, or write its notebook."""
    screen = Screen()
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
    if not numbers:
        _list(screen)
        return
    chosen = _choose(numbers)
    if not run and notebook is None:
        _outline(screen, chosen)
        return
    paths = {number: _notebook_path(notebook, number, several=len(chosen) > 1) for number in chosen}
    if taken := [path for path in paths.values() if path is not None and path.exists()]:
        raise ConfigError(
            f"{taken[0]}: a file of this name exists; give --notebook another one, or move it away."
        )
    places = _places(data or [], screen)
    from convlens.lessons.lesson import Result, result_rows
    from convlens.lessons.notebook import find_lessons, read_notebook, run_notebook, write_notebook
    from convlens.lessons.table import write_table

    results: list[Result] = []
    for number in chosen:
        own = folder / f"lesson-{number}" if folder is not None and len(chosen) > 1 else folder
        built = read_notebook(find_lessons()[number], quick=quick, data=places, folder=own)
        if run:
            done = run_notebook(built, screen)
            results += done.results
            screen.say(f"plots and runs are in {done.folder}")
            if table is not None:
                write_table(
                    table, results
                )  # after each lesson, so that a later failure loses nothing
        if (path := paths[number]) is not None:
            write_notebook(built, path)
            screen.say(f"notebook  {path}")
    if results:
        screen.say()
        screen.columns(result_rows(results), left=(0, 1))
    if table is not None:
        screen.say(f"\ntable  {table}")


def _list(screen: Screen) -> None:
    from convlens.lessons.notebook import find_lessons

    for source in find_lessons().values():
        screen.say(source.headings[0])
    screen.say(
        "\nconvlens lesson 001                      its sections"
        "\nconvlens lesson 001 --run --quick        run it in under a minute, on images that come with convlens"
        "\nconvlens lesson 001 --run --data mnist=FOLDER --notebook     run it on the real ones, and keep all of it"
    )


def _choose(numbers: Sequence[str]) -> list[str]:
    from convlens.lessons.notebook import find_lessons

    known = list(find_lessons())
    if list(numbers) == ["all"]:
        return known
    if unknown := [number for number in numbers if number.zfill(3) not in known]:
        raise ConfigError(
            f"a lesson must be one of {', '.join(known)}, or all; found {unknown[0]!r}."
        )
    return list(dict.fromkeys(number.zfill(3) for number in numbers))  # 1 is 001


def _outline(screen: Screen, chosen: Sequence[str]) -> None:
    from convlens.lessons.notebook import find_lessons

    for number in chosen:
        title, *sections = find_lessons()[number].headings
        screen.say(title, "bold")
        for section in sections:
            screen.say(f"  {section}")
        screen.say()
    screen.say(f"to run: convlens lesson {' '.join(chosen)} --run; with --quick in under a minute")


def _notebook_path(given: Sequence[Path] | None, number: str, *, several: bool) -> Path | None:
    if given is None:
        return None
    name = f"lesson-{number}.ipynb"
    if not given:
        return Path(name)
    if several or given[0].is_dir():
        return given[0] / name
    if given[0].suffix != ".ipynb":
        raise ConfigError(f"--notebook must be a file NAME.ipynb or a folder; found {given[0]}.")
    return given[0]


def _places(words: Sequence[str], screen: Screen) -> dict[str, str]:
    """Return where each data set lies, as the user said it."""
    from convlens.lessons.lesson import STAND_INS

    places: dict[str, str] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals:
            places |= _in_folder(Path(word).expanduser(), screen)
            continue
        if name not in STAND_INS:
            raise ConfigError(
                f"--data must be NAME=PATH with a NAME of {', '.join(STAND_INS)}; found {word!r}."
            )
        if not Path(path).expanduser().exists():
            raise DataError(f"{path}: there is no such file or folder, for --data {name}=PATH.")
        places[name] = path
    return places


def _in_folder(folder: Path, screen: Screen) -> dict[str, str]:
    """Return the data sets that lie in a folder by name, as `mnist/` or `cifar10.npz`; name those that do not read."""
    from convlens.data.sources import load_data
    from convlens.lessons.lesson import STAND_INS

    if not folder.is_dir():
        raise DataError(
            f"{folder}: --data must be NAME=PATH, or a folder with data sets in it by name."
        )
    found: dict[str, str] = {}
    for name in STAND_INS:
        for path in (folder / f"{name}.npz", folder / name):
            if name in found or not path.exists():
                continue
            try:
                load_data(path)
                found[name] = str(path)
            except DataError as error:
                screen.note(f"passed over: {error}")
    return found
