"""HTML pages that open offline: their figures, images and fonts are part of the file."""

import base64
import io
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jinja2
import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from convlens.charts.fonts import subset_font
from convlens.charts.images import SMALL
from convlens.language import Message, _, again, ngettext, sentences
from convlens.language_choice import TAGS, language, using
from convlens.preprocess import ImageArray

DPI = 150  # pixels an inch, of a PNG and of the images in an SVG


def render_page(package: str, template: str, values: Mapping[str, Any]) -> str:
    """Return the HTML of a template that is a file of a package.

    Everything is escaped. Besides its values, the template gets `font`: a WOFF file in base64 with
    the Chinese, Japanese and Korean characters of the page, or "" if the page has none; `tag`, the
    chosen language as HTML names it; and the functions `_`, `again`, `both`, `each_language` and
    `sentences`. A page in several languages includes languages.html, which has a button for the
    other one.
    """
    page = _template(package, template)
    values = {"tag": TAGS[language()], **values}
    html = page.render(values, font="")
    font = subset_font([html])
    return html if font is None else page.render(values, font=base64.b64encode(font).decode())


def render_text(package: str, template: str, values: Mapping[str, Any]) -> str:
    """Return the text of a template that is a file of a package, such as Markdown, as it is."""
    return _template(package, template, autoescape=False).render(values)


@cache
def _template(package: str, name: str, *, autoescape: bool = True) -> jinja2.Template:
    environment = jinja2.Environment(
        # A template can extend another one of its package, and include those beside this module.
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(package, "."), jinja2.PackageLoader("convlens.charts", ".")]
        ),
        autoescape=autoescape,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(_, ngettext)  # type: ignore[attr-defined]
    environment.globals |= {
        "again": again,
        "both": both,
        "each_language": each_language,
        "sentences": sentences,
    }
    return environment.get_template(name)


def each_language() -> Iterator[str]:
    """Choose each language for as long as its tag is used, and yield the tag."""
    for name, tag in TAGS.items():
        with using(name):
            yield tag


def both(text: str, **fields: Any) -> Markup:
    """Return a text in all languages, of which the page shows the chosen one.

    Args:
        text: An English text of the catalogue, or a text that was made by `_`.
        fields: The values of its fields.
    """
    said = {}
    for tag in each_language():
        spoken = again(text) if isinstance(text, Message) else _(text)
        said[tag] = (spoken.format(**again(fields)) if fields else spoken).replace(
            " %", "\N{NO-BREAK SPACE}%"
        )
    if len(set(said.values())) == 1:
        return escape(next(iter(said.values())))
    span = Markup('<span lang="{tag}">{text}</span>')
    return Markup("").join(span.format(tag=tag, text=text) for tag, text in said.items())


def draw(figure: Figure, kind: str) -> bytes:
    """Return a figure as a file; figures that were made alike give the same bytes.

    Args:
        figure: The figure to draw.
        kind: "png" or "svg".
    """
    file = io.BytesIO()
    if kind == "png":
        figure.savefig(file, format=kind, dpi=DPI)
        return file.getvalue()
    canvas = figure.canvas
    dpi = figure.dpi
    figure.dpi = DPI  # of the images in it
    # savefig would draw the figure twice, the first time for nothing.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "convlens"}):
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None})
    figure.set_canvas(canvas)
    figure.dpi = dpi
    return file.getvalue()


def script_data(content: Any) -> str:
    r"""Return plain data as the JSON of a script element, which no text in the data can end.

    >>> script_data({"class": "<!--<script>"})
    '{"class": "\\u003c!--\\u003cscript>"}'
    """
    return json.dumps(content, ensure_ascii=False).replace("<", r"\u003c")


def data_uri(content: bytes, kind: str) -> str:
    """Return a file as the source of an image.

    >>> data_uri(b"GIF89a", "gif")
    'data:image/gif;base64,R0lGODlh'
    """
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def image_uri(image: Image.Image | ImageArray, side: int, quality: int = 85) -> str:
    """Return an image as the source of an image: a small one exactly, a large one as a JPEG.

    Args:
        image: The image; as an array (height, width, channels) uint8 with 1 or 3 channels.
        side: The most pixels of its longest side; a larger one is reduced.
        quality: Of a JPEG, from 0 to 95.
    """
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
    file = io.BytesIO()
    if max(image.size) <= SMALL:  # the page enlarges each of its pixels
        image.save(file, "PNG")
        return data_uri(file.getvalue(), "png")
    reduced = image.convert("L" if image.mode == "L" else "RGB")
    reduced.thumbnail((side, side))
    reduced.save(file, "JPEG", quality=quality)
    return data_uri(file.getvalue(), "jpeg")
