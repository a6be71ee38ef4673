"""`convlens models`: the networks by name."""

from rich.console import Console
from rich.table import Table

from convlens import backend

__all__ = ["list_table"]


def list_table() -> None:
    """Print a row a network."""
    backend.start()
    from convlens.zoo.registry import list_models, model_info

    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    table.add_column("model", style="bold", no_wrap=True)
    table.add_column("input", justify="right", no_wrap=True)
    table.add_column("parameters", justify="right", no_wrap=True)
    table.add_column("what it is")
    for name in list_models():
        info = model_info(name)
        shape = "x".join(map(str, info.input_shape))
        table.add_row(name, shape, f"{info.num_params:,}", info.summary)
    Console(highlight=False).print(table)
