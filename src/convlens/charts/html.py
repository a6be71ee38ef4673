"""HTML pages that open offline: their figures, images and fonts are part of the file."""

import base64
import io
from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2
import matplotlib as mpl
from matplotlib.figure import Figure

from convlens.charts.fonts import subset_font
from convlens.language import _, ngettext


def render_page(package: str, template: str, values: Mapping[str, Any]) -> str:
    """Return the HTML of a template that is a file of a package.

    Everything is escaped. Besides its values, the template gets `font`: a WOFF file in base64 with
    the Chinese, Japanese and Korean characters of the page, or "" if the page has none.
    """
    page = _template(package, template)
    html = page.render(values, font="")
    font = subset_font([html])
    return html if font is None else page.render(values, font=base64.b64encode(font).decode())


@cache
def _template(package: str, name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, "."),  # so that a template can extend another one
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(_, ngettext)  # type: ignore[attr-defined]
    return environment.get_template(name)


def draw(figure: Figure, kind: str) -> bytes:
    """Return a figure as a file; the same figure always gives the same bytes.

    Args:
        figure: The figure to draw.
        kind: "png" or "svg".
    """
    file = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else None
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "convlens"}):
        figure.savefig(file, format=kind, dpi=150, metadata=metadata)
    return file.getvalue()


def data_uri(content: bytes, kind: str) -> str:
    """Return a file as the source of an image.

    >>> data_uri(b"GIF89a", "gif")
    'data:image/gif;base64,R0lGODlh'
    """
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
