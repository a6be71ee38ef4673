"""Tables as the programs in this folder print them."""

from rich.table import Table


def table_of(*headings: str) -> Table:
    """Return an empty table, all columns but the first aligned at the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    return table
