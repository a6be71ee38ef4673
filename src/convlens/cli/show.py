"""`convlens show`: the arithmetic of a layer, a loss or a small network, with every number.

The commands lie in `show_maps`, `show_layers` and `show_networks`. Each computes its example, lays
it out as a page, prints the page, and writes it as PNG and HTML if asked to.
"""

from cyclopts import App

from convlens.cli import show_layers, show_maps, show_networks

show = App(
    name="show",
    help="Show every number in the arithmetic of a layer, a loss or a small network.",
    help_format="plaintext",
)

for _command in (*show_maps.COMMANDS, *show_layers.COMMANDS, *show_networks.COMMANDS):
    show.command(_command)
