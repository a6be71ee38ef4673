"""`convlens open`: what a trained network computed for an image: all layers, one value, one gradient."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from convlens import backend
from convlens.cli.open_flags import NO_FILES, NO_LOOK, Files, Look, check_options
from convlens.conflicts import refuse_conflicts
from convlens.errors import ConfigError, ImageError, StorageError
from convlens.run import Run

if TYPE_CHECKING:
    from convlens.classifier.classifier import Classifier
    from convlens.explain.microscope.microscope import Layer, Microscope
    from convlens.explain.pages.page import Page


FITS = {
    "stretch": "stretched",
    "crop": "its middle cropped and scaled",
    "pad": "scaled and padded with black",
}
FORMS = {3: "ROW,COL", 2: "ROW"}  # of --at, by the axes of a layer's output


@dataclass(frozen=True)
class _View:
    """What the parts of the command share; `folder` is where images go that no path was given for."""

    microscope: "Microscope"
    image: str
    folder: Path
    look: Look
    files: Files

    @property
    def name(self) -> str:
        return Path(self.image).name


def open_network(
    run: str | None = None,
    image: str | None = None,
    *more: Annotated[str, Parameter(show=False)],
    model: Annotated[
        str | None, Parameter(help="a network with trained weights, in place of the run")
    ] = None,
    weights: Annotated[
        Path | None, Parameter(help="a file with other weights of --model, of 1,000 classes")
    ] = None,
    look: Look = NO_LOOK,
    files: Files = NO_FILES,
) -> None:
    """Show what a trained network computed for an image, down to a single sum.

    The first word is a run or a .keras file, the second an image of any size. A network that was trained on ImageNet
    needs no run: convlens open --model efficientnet_lite0 IMAGE

    Without --layer all layers are listed and drawn, with it all its maps, with --filter one value: the patch, the
    kernel, the products, the sum.
    """
    check_options(look, files)
    if more:
        raise ConfigError(
            f"one image is opened at a time; left over: {' '.join(more)}. Each further layer needs its own --layer."
        )
    image, folder, load = _network(run, image, model, weights)
    backend.start()
    from convlens.explain.microscope.microscope import Microscope

    view = _View(Microscope.look(load(), image), image, folder / "microscope", look, files)
    layers = [view.microscope.layer(name) for name in look.layer or ()]
    one_value = look.filter is not None or look.at is not None
    if files.html is not None:
        _write_html(view, layers, _index(look, layers[0]) if one_value else None)
    if look.gradient:
        _show_gradient(view, layers[0])
    elif one_value or files.worksheet is not None:
        _show_cell(view, layers[0])
    elif files.html is None or files.png is not None:
        _show_maps(view, layers[0] if layers else None)


def _network(
    run: str | None, image: str | None, model: str | None, weights: Path | None
) -> tuple[str, Path, Callable[[], "Classifier"]]:
    """Return the image, the folder for what is written, and what loads the classifier."""
    if model is not None:
        if run is None:
            raise ConfigError("say which image: convlens open --model NAME IMAGE.")
        if image is not None:
            raise ConfigError(f"with --model only the image is given; found {run} and {image}.")

        def pretrained() -> "Classifier":
            from convlens.classifier.pretrained import pretrained_classifier

            return pretrained_classifier(model, weights or "imagenet")

        return _file(run), Path(), pretrained
    refuse_conflicts("open", {"weights": weights})
    if run is None or image is None:
        raise ConfigError(
            "say which image: convlens open RUN IMAGE, or convlens open --model NAME IMAGE."
        )
    path = Run.find_classifier(run)

    def saved() -> "Classifier":
        from convlens.classifier.classifier import Classifier

        return Classifier.load(path)

    return _file(image), path.parent, saved


def _file(image: str) -> str:
    if Path(image).is_dir():
        raise ImageError(f"{image}: IMAGE must be one image; this is a folder. Name a file in it.")
    return image


def _show_maps(view: _View, layer: "Layer | None") -> None:
    from convlens.explain.microscope.value import ONE_LOGIT
    from convlens.explain.pages.map_figures import layer_figure, strip_figure
    from convlens.explain.pages.microscope_views import layers_table
    from convlens.explain.pages.page import Page

    stem = Path(view.image).stem
    if layer is None:
        figure, path = strip_figure(view.microscope, view.name), view.folder / f"{stem}.png"
        facts = _facts(view)
        if any(one.kind == "ZerosLike" and one.shape == (1,) for one in view.microscope.layers):
            facts.append(("two classes", ONE_LOGIT))
        page = Page("Layers", tuple(facts), (layers_table(view.microscope),))
        more = "convlens open ... --layer NAME shows all its maps; --layer NAME --filter K --at ROW,COL opens one value"
    else:
        safe = layer.name.replace("/", "_")
        figure, path = (
            layer_figure(view.microscope, layer, view.name),
            view.folder / f"{stem}-{safe}.png",
        )
        shape = " x ".join(map(str, layer.shape))
        page = Page(layer.name, (*_facts(view), ("layer", f"{layer.kind}, gives {shape}")))
        more = _how_to_open(layer)
    if view.files.format == "json":
        _print_json(_maps_data(view, layer))
    else:
        _print(page)
        print(f"\n{more}")  # noqa: T201
    _save_png(figure, view.files.png or path, view.files.format == "json")


def _how_to_open(layer: "Layer") -> str:
    """Return what to type next."""
    said = f"--filter 0 to {(layer.shape or (1,))[-1] - 1}" + (
        ", or the name of a class," if layer.class_names else ""
    )
    form = FORMS.get(len(layer.shape))
    if form is None:
        return f"{said} opens a value"
    return f"{said} opens a value, the largest of its map; with --at {form} the one there"


def _maps_data(view: _View, layer: "Layer | None") -> dict[str, Any]:
    prediction = view.microscope.prediction
    names = view.microscope.classifier.class_names
    found: dict[str, Any] = {"image": view.image, "label": prediction.label}
    found["probabilities"] = {
        n: float(p) for n, p in zip(names, prediction.probabilities, strict=True)
    }
    if layer is not None:
        return found | {"layer": layer.name, "class": layer.kind, "output": layer.output.tolist()}
    layers = [
        {
            "name": one.name,
            "class": one.kind,
            "shape": list(one.shape),
            "from": [i.source for i in one.inputs],
        }
        for one in view.microscope.layers
    ]
    return found | {"layers": layers}


def _facts(view: _View) -> list[tuple[str, str]]:
    """Return what is said of the image and the prediction."""
    scope = view.microscope
    height, width = scope.size
    seen = scope.classifier.preprocessing
    if (height, width) == (seen.height, seen.width):
        said = f"{height} x {width} pixels, as the network takes them"
    else:
        said = f"{height} x {width} pixels, {FITS[seen.fit]} to {seen.height} x {seen.width} as in prediction"
    order = (-scope.prediction.probabilities).argsort()[:3]
    names = scope.classifier.class_names
    shares = [f"{names[i]} {scope.prediction.probabilities[i] * 100:.1f} %" for i in order]
    return [("image", f"{view.name}, {said}"), ("predicted", ", ".join(shares))]


def _show_cell(view: _View, layer: "Layer") -> None:
    from convlens.explain.microscope.openers import open_cell
    from convlens.explain.pages.microscope_views import cell_data, cell_figure, cell_page

    cell = open_cell(layer, _index(view.look, layer))
    page = cell_page(layer, cell)
    if view.files.format == "json":
        _print_json(cell_data(layer, cell))
    else:
        _print(page)
    if view.files.png is not None:
        _save_png(
            cell_figure(view.microscope, layer, cell, page),
            view.files.png,
            view.files.format == "json",
        )
    if view.files.worksheet is not None:
        from convlens.explain.pages.worksheet import write_worksheet

        path = view.files.worksheet
        _write(
            path,
            lambda: write_worksheet(
                path, view.microscope, layer, cell, view.name, view.files.language or "en"
            ),
        )


def _index(look: Look, layer: "Layer") -> tuple[int, ...]:
    """Return the index of the value to open; without --at the largest of the map."""
    unit = layer.check_unit(_unit(look, layer))
    form = FORMS.get(len(layer.shape))
    if look.at is not None:
        if form is None:
            raise ConfigError(
                f"{layer.name} gives a row of numbers, not maps: leave --at out, --filter says which."
            )
        place = _numbers(look.at, "--at", form)
        if len(place) != len(layer.shape) - 1:
            shape = " x ".join(map(str, layer.shape))
            raise ConfigError(
                f"{layer.name} gives {shape}: --at must be {form}; found {look.at!r}."
            )
        return (*place, unit)
    values = abs(layer.output[..., unit])
    flat = int(values.argmax())
    found = []
    for side in reversed(values.shape):
        flat, one = divmod(flat, side)
        found.append(one)
    return (*reversed(found), unit)


def _unit(look: Look, layer: "Layer") -> int | None:
    """Return the number that --filter gives, or that of the class it names."""
    if look.filter is None:
        return None
    if look.filter.lstrip("-").isdecimal():
        return int(look.filter)
    if look.filter in layer.class_names:
        return layer.class_names.index(look.filter)
    from convlens.explain.microscope.microscope import known_names

    names = f" or a class: {known_names(layer.class_names)}" if layer.class_names else ""
    raise ConfigError(f"--filter of {layer.name} must be a number{names}; found {look.filter!r}.")


def _numbers(text: str, flag: str, form: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise ConfigError(f"{flag} must be {form} in whole numbers; found {text!r}.") from error


def _show_gradient(view: _View, layer: "Layer") -> None:
    from convlens.explain.microscope.gradient import differentiate
    from convlens.explain.pages.drawing import draw_page
    from convlens.explain.pages.gradient_views import gradient_data, gradient_page

    text = view.look.weight
    place = (
        text
        if text in (None, "bias", "gamma", "beta")
        else _numbers(text or "", "--weight", "ROW,COL,CHANNEL")
    )
    found = differentiate(view.microscope, layer, _unit(view.look, layer), place, view.look.true)
    page = gradient_page(layer, found)
    if view.files.format == "json":
        _print_json(gradient_data(layer, found))
    else:
        _print(page)
    if view.files.png is not None:
        _save_png(draw_page(page), view.files.png, view.files.format == "json")


def _write_html(view: _View, layers: list["Layer"], first: tuple[int, ...] | None) -> None:
    from convlens.explain.pages.microscope_html import write_microscope

    path = view.files.html
    assert path is not None
    text, left_out = write_microscope(
        view.microscope, view.name, layers, first=first, language=view.files.language or "en"
    )
    _write(path, lambda: path.write_text(text, encoding="utf-8"))
    if left_out:
        names = ", ".join(left_out[:6]) + (
            f" and {len(left_out) - 6} more" if len(left_out) > 6 else ""
        )
        print(f"left out for its size: {names}; name them with --layer", file=sys.stderr)  # noqa: T201


def _print(page: "Page") -> None:
    from convlens.explain.pages.terminal import print_page

    print_page(page)


def _print_json(content: dict[str, Any]) -> None:
    json.dump(content, sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")


def _save_png(figure: Any, path: Path, quiet: bool) -> None:
    _write(path, lambda: figure.savefig(path, format="png", dpi=120), quiet=quiet)


def _write(path: Path, write: Callable[[], Any], *, quiet: bool = False) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write()
    except OSError as error:
        raise StorageError(f"{path}: cannot be written; {error.strerror or error}.") from error
    Console(highlight=False, soft_wrap=True, stderr=quiet).print(f"\nwritten  {path}", markup=False)
