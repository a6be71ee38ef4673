"""`convlens open --over-time`: an image, a filter and a weight at the moments of a training."""

from contextlib import nullcontext
from pathlib import Path

from convlens.cli.open_flags import Files, Look, find_place, find_unit
from convlens.cli.output import print_json, write_figure
from convlens.errors import ConfigError, RunError
from convlens.explain.microscope.layer import Layer
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.map_figures import most_active
from convlens.explain.pages.terminal import print_page
from convlens.explain.pages.time_machine_figure import Strip, kernel_strips, way_figure
from convlens.explain.pages.time_machine_views import way_data, way_page, weight_data, weight_page
from convlens.explain.time_machine.machine import TimeMachine
from convlens.language import _
from convlens.language_choice import using
from convlens.run import Run
from convlens.run_folder import is_of_run
from convlens.text import printable

DPI = 120


def show_over_time(path: Path | None, image: str, look: Look, files: Files) -> None:
    """Show the way of an image, or with `--gradient` that of a weight, through a training.

    Args:
        path: The file of the classifier.
        image: The image.
        look: What is opened.
        files: What is written.

    Raises:
        ConfigError: If there is no such layer, filter or weight.
        ImageError: If the image cannot be read.
        RunError: If the classifier is of no run, or if the run has kept no states.
    """
    if path is None or not is_of_run(path):
        raise RunError(_("--over-time needs a run, since only a training keeps states."))
    machine = TimeMachine.open(Run(path.parent))
    name = printable(Path(image).name)
    if look.gradient:
        _show_weight(machine, image, look, files)
        return
    way = machine.way(image)
    scope = machine.look(image, machine.moments[-1])
    pixels = scope.pixels
    layers = [scope.layer(one) for one in look.layer or ()]
    unit = find_unit(look, layers[0]) if layers else None
    strips = _strips(machine, image, layers[0], unit) if layers else []
    place = files.png or path.parent / "microscope" / _figure_name(image, look)
    if files.format == "json":
        print_json(way_data(way))
    else:
        print_page(way_page(way, name))
    figure = way_figure(way, pixels, name, strips)
    write_figure(place, figure, dpi=DPI, quiet=files.format == "json")


def _figure_name(image: str, look: Look) -> str:
    layer = "".join(f"-{one.replace('/', '_')}" for one in look.layer or ())
    return f"{Path(image).stem}{layer}-over-time.png"


def _strips(machine: TimeMachine, image: str, layer: Layer, unit: int | None) -> list[Strip]:
    """Return the strips of a filter and its map; the map that varies most if none is named."""
    if layer.output.ndim != 3:
        raise ConfigError(
            _("{layer} gives no maps; --over-time draws those of a convolution or pooling.").format(
                layer=layer.name
            )
        )
    chosen = layer.check_unit(most_active(layer, 1)[0] if unit is None else unit)
    said = layer.which_one(chosen)
    strips = []
    if hasattr(layer.operation, "kernel") or hasattr(layer.operation, "depthwise_kernel"):
        strips = kernel_strips(said, machine.filters(image, layer.name, chosen))
    maps = machine.maps(image, layer.name)[..., chosen]
    return [*strips, Strip(_("map of {unit}").format(unit=said), maps)]


def _show_weight(machine: TimeMachine, image: str, look: Look, files: Files) -> None:
    """Show one weight at each moment."""
    as_json = files.format == "json"
    # Programs read the same texts in every language.
    with using("en") if as_json else nullcontext():
        layer = machine.look(image, machine.moments[-1]).layer((look.layer or [""])[0])
        unit = find_unit(look, layer)
        weights = machine.weight(image, layer.name, unit, find_place(look), look.true)
        if as_json:
            print_json(weight_data(layer, weights))
    page = weight_page(layer, weights)
    if not as_json:
        print_page(page)
    if files.png is not None:
        write_figure(files.png, draw_page(page), dpi=DPI, quiet=as_json)
