import io
import shutil
import time
import types
import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from convlens import plots
from convlens.charts import fonts
from convlens.language import CATALOGUE
from tests.data.damage import emptied, halved, replaced_by_garbage

ROOT = Path(__file__).parents[2]
TRADITIONAL = ["貓", "狗", "圓仔花", "臺灣藍鵲", "石虎（保育類）", "Édgar ß Ω Ж"]


def pixels(text, families):
    figure = Figure(figsize=(2, 1))
    figure.text(0.1, 0.4, text, fontfamily=families, fontsize=30)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).copy()


@pytest.fixture
def missing_is_an_error():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*missing from font.*")
        yield


@pytest.mark.usefixtures("missing_is_an_error")
@pytest.mark.parametrize("name", TRADITIONAL)
def test_the_fonts_found_draw_every_glyph(name):
    assert fonts.find_fonts([name])[1] == set()
    assert pixels(name, fonts.find_fonts([name])[0]).min() == 0


@pytest.mark.usefixtures("missing_is_an_error")
def test_the_gate_bites_without_the_chinese_font():
    with pytest.raises(UserWarning, match="missing from font"):
        pixels("貓", ["DejaVu Sans"])


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return the packaged font as a file of its own, and forget afterwards what was read of it."""
    packaged = fonts.packaged_font()
    path = tmp_path / packaged.name
    shutil.copy(packaged, path)
    spec = types.SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(fonts.importlib.util, "find_spec", lambda _name: spec)
    forget_fonts()
    yield path
    forget_fonts()


def forget_fonts():
    for cached in (fonts.packaged_font, fonts._registered_packaged_font, fonts._is_whole):
        cached.cache_clear()


@pytest.mark.parametrize("damage", [emptied, halved, replaced_by_garbage])
def test_a_damaged_font_is_named_and_others_are_used(damage, package):
    damage(package)
    with pytest.warns(UserWarning, match=r"Regular\.otf: the font cannot be read \(.*\); others"):
        families = fonts.find_fonts(["a"])[0]
    assert families[0] == "DejaVu Sans"
    assert fonts.subset_font(["貓"]) is None


def test_a_font_that_was_uninstalled_is_passed_over(package, recwarn):
    package.unlink()
    assert fonts.find_fonts(["a"])[0][0] == "DejaVu Sans"
    assert not recwarn.list


def test_different_names_look_different():
    families = fonts.find_fonts(TRADITIONAL)[0]
    assert (pixels("貓", families) != pixels("狗", families)).any()


@pytest.mark.usefixtures("missing_is_an_error")
def test_every_chart_draws_chinese_names():
    names = TRADITIONAL[:4]
    images = np.zeros((4, 8, 8), np.uint8)
    for figure in (
        plots.show_confusion(np.eye(4, dtype=int), names),
        plots.show_images(images, [0, 1, 2, 3], predicted=[0, 1, 3, 2], class_names=names),
        plots.show_sheet(images, [0, 1, 2, 3], names),
    ):
        for kind in ("png", "svg"):
            figure.savefig(io.BytesIO(), format=kind)  # outside of the style, as a notebook does


@pytest.fixture
def nothing_installed(monkeypatch):
    """Leave the fonts that come with convlens and with matplotlib."""
    manager = fonts.font_manager.fontManager
    shipped = [one for one in manager.ttflist if one.fname.startswith(mpl.get_data_path())]
    monkeypatch.setattr(manager, "ttflist", shipped)


@pytest.mark.usefixtures("nothing_installed")
def test_a_missing_glyph_is_named_and_replaced_not_drawn_as_a_box(recwarn):
    strange = "\U00012000"  # a cuneiform sign
    assert fonts.find_fonts(["貓", f"a{strange}"])[1] == {strange}
    assert fonts.drawable(["貓", f"a{strange}"]) == ["貓", "a?"]
    assert strange in str(recwarn.pop(UserWarning).message)


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("pattern", ["src/**/*.po", "src/**/*.py", "docs/lessons/*.py"])
def test_every_character_of_convlens_and_its_lessons_can_be_drawn(pattern):
    files = sorted(ROOT.glob(pattern))
    assert files
    assert fonts.find_fonts([file.read_text(encoding="utf-8") for file in files])[1] == set()


def test_a_page_has_every_chinese_character_of_the_catalogue():
    text = CATALOGUE.read_text(encoding="utf-8")
    font = TTFont(io.BytesIO(fonts.subset_font([text])))
    assert {ord(one) for one in text if one >= "\u2e80"} == set(font.getBestCmap())


def test_a_name_is_one_line():
    assert fonts.drawable(["two\nlines\tand more"]) == ["two lines and more"]


def test_a_name_that_is_not_utf_8_is_drawn():
    assert fonts.drawable(["gr\udcf6"]) == [r"gr\udcf6"]


def test_a_computer_without_the_packaged_font_looks_further(monkeypatch):
    monkeypatch.setattr(fonts, "_registered_packaged_font", lambda: None)
    assert fonts.find_fonts(["cat"])[0][0] == "DejaVu Sans"


def test_the_subset_has_the_characters_and_little_else():
    data = fonts.subset_font(["cat 貓", "狗"])
    assert data is not None
    assert len(data) < 10_000
    assert set(TTFont(io.BytesIO(data)).getBestCmap()) == {ord("貓"), ord("狗")}
    assert fonts.subset_font(["cat"]) is None


def test_the_subset_does_not_depend_on_the_time(monkeypatch):
    first = fonts.subset_font(["貓"])
    fonts._subset.cache_clear()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert fonts.subset_font(["貓"]) == first
