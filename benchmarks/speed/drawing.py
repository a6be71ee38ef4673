"""Tables and charts of the results that bench.py keeps."""

import json
import math
from collections import defaultdict
from pathlib import Path
from statistics import mean, median, stdev

from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from convlens.charts.style import BLUE, GREEN, GREY, ORANGE, new_chart

# Floating-point operations of a training step for each multiply-add of the forward pass: two for
# the pass itself, two for the gradients of the maps, and two for those of the weights.
OPERATIONS = 6
Results = dict[str, dict[int, dict]]  # by row and by the number of the round or the seed


def draw(results: Path, console: Console) -> None:
    """Print the tables of all parts that have results, and write their charts beside them."""
    for part, show in (
        ("throughput", show_throughput),
        ("accuracy", show_accuracy),
        ("files", show_files),
        ("growth", show_growth),
        ("start", show_start),
    ):
        rows = read(results / part)
        if rows:
            console.print(f"\n[bold]{part}[/bold]")
            show(rows, results, console)


def read(folder: Path) -> Results:
    """Return the results of a part."""
    rows: Results = defaultdict(dict)
    for file in sorted(folder.glob("*.json")):
        name, _, number = file.stem.rpartition("-")
        rows[name][int(number)] = json.loads(file.read_text())
    return rows


def ratios(own: dict[int, dict], other: dict[int, dict], key: str) -> list[float]:
    """Return a figure of one row as a multiple of that of another row in the same round."""
    return [own[number][key] / other[number][key] for number in own.keys() & other.keys()]


def table_of(*headings: str) -> Table:
    """Return an empty table, all columns but the first aligned at the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    return table


def show_throughput(rows: Results, results: Path, console: Console) -> None:
    """Show images a second, as a ratio of the deck's program in the same round, and as a share."""
    limits = read(results / "limits").get("limits", {})
    key = "images_per_second"
    table = table_of("network and program", "images/s", "of the lecture's", "of the product's rate")
    bars = []
    for name, found in rows.items():
        network, program = name.split("-")
        times = ratios(found, rows.get(f"{network}-deck", {}), key)
        operations = OPERATIONS * multiply_adds(network) / 1e9
        shares = [
            found[number][key] * operations / limits[number][product_of(program, found[number])]
            for number in found.keys() & limits.keys()
        ]
        table.add_row(
            name,
            f"{median(one[key] for one in found.values()):,.0f}",
            f"{median(times):.2f}" if times else "-",
            f"{100 * median(shares):.0f} %" if shares else "-",
        )
        if times:
            bars.append((name, median(times), program == "convlens"))
    console.print(table)
    if not bars:
        return
    with new_chart((7.6, 0.36 * len(bars) + 1.2), [name for name, *_ in bars]) as figure:
        axes = figure.subplots()
        for place, (_name, ratio, own) in enumerate(reversed(bars)):
            axes.barh(place, ratio, color=BLUE if own else GREY)
            axes.annotate(f" {ratio:.2f}", (ratio, place), va="center")
        axes.set_yticks(range(len(bars)), [name for name, *_ in reversed(bars)])
        axes.set(title="Images a second, as a multiple of the lecture's program")
        save(figure, results / "throughput.png")


def product_of(program: str, found: dict) -> str:
    """Return the limit of a program: the rate of the matrix product in its precision."""
    # convlens takes bfloat16 by itself where the processor is fast at it.
    is_half = "bfloat16" in program or (program == "convlens" and found["bfloat16"])
    return "bfloat16_gflops" if is_half else "float32_gflops"


def multiply_adds(network: str) -> int:
    """Return the multiply-adds of a network on an image of its source, with 10 classes."""
    # They import Keras, which `bench.py` does without its messages.
    from convlens.anatomy.summary import count_multiply_adds
    from convlens.zoo.create import create_model

    return count_multiply_adds(create_model(network, num_classes=10))


def show_accuracy(rows: Results, results: Path, console: Console) -> None:
    """Show the accuracy and the time of each training, as a share of a program of the lectures.

    It is the program for the same images, or that for CIFAR-10 where the lectures have none.
    """
    decks = {name: found for name, found in rows.items() if name.startswith("deck_")}
    table = table_of(
        "training",
        "seeds",
        "accuracy",
        "spread",
        "images",
        "seconds",
        "to its score",
        "of the lecture's",
    )
    points = []
    for name, found in rows.items():
        same = (
            deck for key, deck in decks.items() if name.removeprefix("deck_").startswith(key[5:])
        )
        deck = next(same, decks.get("deck_cifar10", {}))
        shares = ratios(found, deck, "scored_seconds")
        trainings = list(found.values())
        scores = [one["accuracy"] for one in trainings]
        table.add_row(
            name,
            str(len(found)),
            f"{100 * mean(scores):.2f} %",
            f"{100 * stdev(scores):.2f}" if len(scores) > 1 else "-",
            f"{trainings[0]['images']:,}",
            f"{median(one['seconds'] for one in trainings):,.0f}",
            f"{median(one['scored_seconds'] for one in trainings):,.0f}",
            f"{median(shares):.2f}" if shares else "-",
        )
        points += [(name, one["seconds"], one["accuracy"]) for one in trainings]
    console.print(table)
    with new_chart((7.6, 4.4), [name for name, *_ in points]) as figure:
        axes = figure.subplots()
        for name, seconds, score in points:
            color = ORANGE if name.startswith("deck_") else BLUE
            axes.plot(seconds / 60, 100 * score, "o", color=color)
            axes.annotate(f" {name}", (seconds / 60, 100 * score), fontsize=7, va="center")
        axes.set(xlabel="minutes of the whole command", ylabel="accuracy of test images, %")
        save(figure, results / "accuracy.png")


def show_files(rows: Results, results: Path, console: Console) -> None:
    """Show the seconds from files to the end of the first epoch and of the last one."""
    table = table_of("pixels and program", "first epoch, s", "last epoch, s")
    for name, found in rows.items():
        table.add_row(
            name,
            f"{median(one['first_epoch'] for one in found.values()):.1f}",
            f"{median(one['last_epoch'] for one in found.values()):.1f}",
        )
    console.print(table)


def show_growth(rows: Results, results: Path, console: Console) -> None:
    """Show time and memory against what grows."""
    table = table_of("what grows", "seconds", "GB", "of it own")
    lines: dict[str, list[tuple[int, float, float, float]]] = defaultdict(list)
    for name, rounds in rows.items():
        found = rounds[0]
        kind, number = name.split("-")
        own = found["own_gigabytes"]
        memory = (found["gigabytes"], math.nan if own is None else own)
        lines[kind].append((int(number), found["seconds"], *memory))
    for kind, points in lines.items():
        for number, seconds, gigabytes, own in sorted(points):
            cells = (f"{seconds:.1f}", f"{gigabytes:.2f}", f"{own:.2f}")
            table.add_row(f"{kind} {number:,}", *cells)
    console.print(table)
    with new_chart((4.0 * len(lines), 5.4)) as figure:
        panels = figure.subplots(2, len(lines), squeeze=False)
        for (upper, lower), (kind, points) in zip(panels.T, lines.items(), strict=True):
            numbers, seconds, gigabytes, own = zip(*sorted(points), strict=True)
            places = [one**2 for one in numbers] if kind == "side" else numbers
            upper.plot(places, seconds, "o-", color=BLUE)
            lower.plot(places, gigabytes, "o-", color=GREEN, label="all")
            lower.plot(places, own, "o--", color=GREEN, label="without mapped files")
            upper.set(ylim=(0, 1.1 * max(seconds)))
            lower.set(xlabel="pixels of an image" if kind == "side" else kind)
            lower.set(ylim=(0, 1.1 * max(gigabytes)))
            for axes in (upper, lower):
                axes.locator_params(axis="x", nbins=4)
                axes.xaxis.set_major_formatter("{x:,.0f}")
        figure.align_ylabels()
        panels[0, 0].set(ylabel="seconds")
        panels[1, 0].set(ylabel="GB")
        panels[1, 0].legend(loc="lower right")
        save(figure, results / "growth.png")


def show_start(rows: Results, results: Path, console: Console) -> None:
    """Show what starting costs."""
    table = table_of("start", "seconds")
    for name, value in rows["start"][0].items():
        if name.endswith(("seconds", "keras")):
            table.add_row(name.replace("_", " "), f"{value:.2f}")
    console.print(table)


def save(figure: Figure, path: Path) -> None:
    """Write a chart."""
    figure.savefig(path, dpi=110)
