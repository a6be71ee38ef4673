"""The scores of an evaluation as a table for the terminal."""

from rich.table import Table

from convlens.evaluation.evaluate import EXPLANATIONS, Evaluation


def scores_table(evaluation: Evaluation) -> Table:
    """Return a table with a row for each score: its value, its 95 % interval and its images."""
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column("score")
    table.add_column("value", justify="right")
    table.add_column("95 % interval")
    table.add_column("images", justify="right")
    for name, score in evaluation.scores.items():
        table.add_row(
            EXPLANATIONS[name][0],
            score.value_text,
            score.interval_text,
            f"{score.n:,}",
            style="bold" if name == "accuracy" else None,
        )
    return table
