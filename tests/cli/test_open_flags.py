"""Flags of `convlens open`: which go together."""

from pathlib import Path

import pytest

from convlens.cli.open_flags import Files, Look, check_options
from convlens.errors import ConfigError


def test_what_goes_together():
    check_options(Look(), Files())
    check_options(Look(layer=["a"], filter="0", at="1,2"), Files(worksheet=Path("a.pdf")))
    check_options(Look(layer=["a", "b"]), Files(html=Path("a.html")))
    check_options(Look(layer=["a"], gradient=True, weight="bias", true="cat"), Files())


@pytest.mark.parametrize(
    ("look", "files", "said"),
    [
        (Look(at="1,2"), Files(), "--at needs one --layer; found 0"),
        (Look(layer=["a", "b"], filter="0"), Files(), "--filter needs one --layer; found 2"),
        (Look(layer=["a", "b"]), Files(), "several --layer are for --html"),
        (
            Look(layer=["a", "b"]),
            Files(html=Path("a.html"), png=Path("a.png")),
            "several --layer are for --html",
        ),
        (Look(layer=["a"]), Files(language="zh"), "--language needs --worksheet or --html"),
        (Look(layer=["a"]), Files(png=Path("a.jpg")), "--png writes a file that ends in .png"),
    ],
)
def test_what_does_not(look, files, said):
    with pytest.raises(ConfigError) as told:
        check_options(look, files)
    assert said in str(told.value)
