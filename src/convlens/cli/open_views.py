"""Open views: what `convlens open` prints and writes of a network, a value and a gradient."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convlens.cli.open_flags import FORMS, Files, Look, find_place, find_unit
from convlens.cli.output import print_json, write_figure, write_file
from convlens.explain.microscope.classes import explain_classes
from convlens.explain.microscope.gradient import differentiate
from convlens.explain.microscope.layer import ONE_LOGIT, Layer
from convlens.explain.microscope.microscope import Microscope, open_cell
from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.gradient_views import gradient_data, gradient_page
from convlens.explain.pages.map_figures import cell_figure, layer_figure, strip_figure
from convlens.explain.pages.microscope_html import render_microscope
from convlens.explain.pages.microscope_views import (
    cell_data,
    cell_page,
    layers_table,
)
from convlens.explain.pages.page import Page
from convlens.explain.pages.terminal import print_page
from convlens.explain.pages.worksheet import write_worksheet
from convlens.files import and_more
from convlens.language import N_, _, listed
from convlens.language_choice import using
from convlens.run import Run
from convlens.run_folder import is_of_run
from convlens.screen import Screen
from convlens.text import printable

if TYPE_CHECKING:
    from convlens.charts.style import Chart

DPI = 120
MOST_NAMES = 6  # of the layers that a page leaves out

# How an image was brought to the size of the network, by the setting `fit`.
FITS = {
    "stretch": N_("{height} x {width} pixels, stretched to {to} as in prediction"),
    "crop": N_("{height} x {width} pixels, its middle cropped and scaled to {to} as in prediction"),
    "pad": N_("{height} x {width} pixels, scaled and padded with black to {to} as in prediction"),
}
HINTS = {
    "layers": N_(
        "convlens open ... --layer NAME shows all its maps; "
        "--layer NAME --filter K --at ROW,COL opens one value"
    ),
    "map": N_(
        "--filter 0 to {last} opens the value of its map that is largest in absolute value; "
        "with --at {form} the one there"
    ),
    "number": N_("--filter 0 to {last} opens a value"),
    "class": N_("--filter 0 to {last}, or the name of a class, opens a value"),
}


@dataclass(frozen=True)
class View:
    """What the parts of the command share.

    Attributes:
        microscope: What was computed for the image.
        image: The image as the user named it.
        folder: Where figures go for which no path was given.
        files: What is written.
        path: The file of the classifier, if it has one.
    """

    microscope: Microscope
    image: str
    folder: Path
    files: Files
    path: Path | None = None

    @property
    def name(self) -> str:
        """Return the file name of the image."""
        return printable(Path(self.image).name)

    @property
    def as_json(self) -> bool:
        """Return whether the standard output belongs to JSON."""
        return self.files.format == "json"

    def show(
        self,
        page: Page,
        data: Callable[[], dict[str, Any]],
        figure: Callable[[], "Chart"],
        path: Path | None,
        hint: str = "",
    ) -> None:
        """Print a page, or its content as JSON, and write its figure.

        Args:
            page: What is printed as a table.
            data: Returns the content for JSON.
            figure: Returns the figure.
            path: Where the figure is written; nothing is drawn if None.
            hint: What the user can type next, printed below the page.
        """
        if self.as_json:
            # Programs read the same texts in every language.
            with using("en"):
                print_json(data())
        else:
            print_page(page)
            if hint:
                print(f"\n{hint}")  # noqa: T201
        if path is not None:
            write_figure(path, figure(), dpi=DPI, quiet=self.as_json)


def show_maps(view: View, layer: Layer | None) -> None:
    """Show all layers of the network, or all maps of one layer."""
    scope = view.microscope
    name = Path(view.image).stem
    facts = _facts(view)
    if layer is None:
        if any(one.kind == "ZerosLike" and one.shape == (1,) for one in scope.layers):
            facts.append((_("two classes"), _(ONE_LOGIT)))
        page = Page(_("Layers"), tuple(facts), (layers_table(scope),))
        hint: str = _(HINTS["layers"])
    else:
        name = "{image}-{layer}".format(image=name, layer=layer.name.replace("/", "_"))
        said = _("{kind}, gives {shape}").format(
            kind=layer.kind, shape=" x ".join(map(str, layer.shape))
        )
        page = Page(layer.name, (*facts, (_("layer"), said)))
        hint = _how_to_open(layer)
    view.show(
        page,
        lambda: _maps_data(view, layer),
        lambda: strip_figure(scope, view.name) if layer is None else layer_figure(layer, view.name),
        view.files.png or view.folder / (name + ".png"),
        hint,
    )


def _facts(view: View) -> list[tuple[str, str]]:
    """Return what is said of the image and the prediction."""
    scope = view.microscope
    height, width = scope.size
    seen = scope.classifier.preprocessing
    said = _("{height} x {width} pixels, as the network takes them")
    if (height, width) != (seen.height, seen.width):
        said = _(FITS[seen.fit])
    size = said.format(height=height, width=width, to=f"{seen.height} x {seen.width}")
    shares = listed(f"{label} {share * 100:.1f} %" for label, share in scope.most_probable())
    if not scope.prediction.known:
        shares = _("none of these; most probable: {shares}").format(shares=shares)
    return [
        (_("image"), _("{name}, {size}").format(name=view.name, size=size)),
        (_("prediction"), shares),
    ]


def _how_to_open(layer: Layer) -> str:
    """Return what to type next."""
    form = FORMS.get(len(layer.shape))
    kind = "class" if layer.class_names else "number"
    if form is not None:
        kind = "map"
    return _(HINTS[kind]).format(last=(layer.shape or (1,))[-1] - 1, form=form)


def _maps_data(view: View, layer: Layer | None) -> dict[str, Any]:
    """Return the prediction, and all layers or the whole output of one, as plain data."""
    prediction = view.microscope.prediction
    names = view.microscope.classifier.class_names
    found: dict[str, Any] = {
        "image": view.image,
        "label": prediction.label,
        "known": prediction.known,
        "probabilities": {
            name: float(share) for name, share in zip(names, prediction.probabilities, strict=True)
        },
    }
    if layer is not None:
        return found | {"layer": layer.name, "class": layer.kind, "output": layer.output.tolist()}
    layers = [
        {
            "name": one.name,
            "class": one.kind,
            "shape": list(one.shape),
            "from": [operand.source for operand in one.inputs],
        }
        for one in view.microscope.layers
    ]
    return found | {"layers": layers}


def show_cell(view: View, layer: Layer, index: tuple[int, ...]) -> None:
    """Show one value of a layer, and write its worksheet if asked to."""
    cell = open_cell(layer, index)
    page = cell_page(layer, cell)
    view.show(
        page,
        lambda: cell_data(layer, open_cell(layer, index)),
        lambda: cell_figure(view.microscope, layer, cell, page),
        view.files.png,
    )
    if view.files.worksheet is not None:
        write_file(
            view.files.worksheet,
            lambda path: write_worksheet(path, view.microscope, layer, cell, view.name),
            _("the worksheet"),
            quiet=view.as_json,
        )


def show_gradient(view: View, layer: Layer, look: Look) -> None:
    """Show how the loss changes with one weight of a layer."""
    found = differentiate(
        view.microscope, layer, find_unit(look, layer), find_place(look), look.true
    )
    page = gradient_page(layer, found)
    view.show(
        page,
        lambda: gradient_data(layer, found),
        lambda: draw_page(page),
        view.files.png,
    )


def write_html(
    view: View, path: Path, layers: Sequence[Layer], first: tuple[int, ...] | None
) -> None:
    """Write the page for a browser, and say which layers it has no room for.

    Args:
        view: What the parts of the command share.
        path: The file of the page.
        layers: What the page holds; all that fit if empty.
        first: The index of the value of the first layer that is open at first, or None.
    """
    run = None
    if view.path is not None and is_of_run(view.path):
        run = Run(view.path.parent)
    with Screen(quiet=view.as_json).counter(_("maps of the classes")) as progress:
        explained = explain_classes(view.microscope, run, progress)
    text, left_out = render_microscope(
        view.microscope, view.name, layers, first=first, explained=explained
    )
    write_file(path, text, _("the page"), quiet=view.as_json)
    if left_out:
        print(  # noqa: T201
            _("left out for its size: {names}; name them with --layer").format(
                names=and_more(left_out, MOST_NAMES)
            ),
            file=sys.stderr,
        )
