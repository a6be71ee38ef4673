"""The page of explanations: its numbers are those of the JSON, and no failing map is drawn."""

import html as entities
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from convlens.explain.why import shown_map
from convlens.explain.why.page import render
from convlens.language import _
from convlens.language_choice import using
from convlens.maps.explainer import Explainer
from tests.explain.why.made import explained, with_failed_deletion
from tests.maps.networks import marked, red_finder

NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]\d+)?")


@pytest.fixture(scope="module")
def both_methods():
    return explained(["exact", "occlusion"])


@pytest.fixture(scope="module")
def contrast():
    return explained(["exact"], "plain")


@pytest.fixture(scope="module")
def page(both_methods):
    with using("en"):
        return render([both_methods], "red <u>finder")


def english(page):
    """Return the visible text of a page in English, and that of its table cells apart."""
    body = re.sub(r"(?s)<(style|script).*?</\1>", "", page.split("<body>")[1])
    body = re.sub(r'<span lang="zh-Hant-TW">[^<]*</span>', "", body)
    return entities.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\xa0", " ")


def cells_of(page):
    found = re.findall(r'data-cells="([^"]*)"', page)
    return [json.loads(entities.unescape(one)) for one in found]


def numbers_in(plain):
    """Yield every number of JSON."""
    if isinstance(plain, dict):
        plain = [*plain.values()]
    if isinstance(plain, list):
        for one in plain:
            yield from numbers_in(one)
    elif isinstance(plain, int | float):
        yield float(plain)
    elif isinstance(plain, str):
        yield from (float(one.replace(",", "")) for one in NUMBER.findall(plain))


def test_page_opens_offline_and_escapes_names(page):
    assert not re.search(r"https?:|<link|@import|<iframe|src=\"(?!data:)", page)
    assert "a &lt;i&gt;mark.png" in page
    assert "train/&lt;b&gt;7.png" in page
    assert "red &lt;u&gt;finder" in page
    assert "<i>mark" not in page


def test_cells_are_the_numbers_of_the_map(page, both_methods):
    exact, occlusion = cells_of(page)
    heat = both_methods.maps[0].map
    values = np.array(exact, float)
    step = 10.0 ** -len(exact[0][0][0].partition(".")[2])
    np.testing.assert_allclose(values[..., 0], heat.values, atol=step)
    np.testing.assert_allclose(values[..., 1].sum() + heat.bias, heat.logit, rtol=0.01)
    shares = values[..., 2].sum() + 100 * abs(heat.bias) / (
        np.abs(heat.values).mean() + abs(heat.bias)
    )
    assert shares == pytest.approx(100, abs=1)
    np.testing.assert_allclose(
        np.array(occlusion, float)[..., 0], both_methods.maps[1].map.values, atol=0.1
    )
    assert {len(cell) for row in occlusion for cell in row} == {1}  # no sum, so no share


def test_sum_is_opened(page, both_methods):
    heat = both_methods.maps[0].map
    mean, bias, logit = re.search(
        r'class="sum">.*?<b>([^<]*)</b>.*?<b>([^<]*)</b>.*?<b>([^<]*)</b>', page, re.DOTALL
    ).groups()
    assert float(mean) == pytest.approx(heat.values.mean(), abs=1e-4)
    assert float(bias) == pytest.approx(heat.bias, abs=1e-4)
    assert float(logit) == pytest.approx(heat.logit, abs=1e-4)
    assert float(mean) + float(bias) == pytest.approx(float(logit), abs=2e-4)


def test_every_number_of_the_page_stands_in_the_json(page, both_methods):
    known = np.array([*numbers_in(json.loads(json.dumps(both_methods.to_dict())))])
    known = np.concatenate([known, 100 * known])  # shares are shown in percent
    text = english(page)
    # What a page says of itself: its date, the size of an image, places, and the scale.
    text = re.sub(r"\d{4}-\d{2}-\d{2}", "", text)
    own = {0, 1, 32, 64}  # counts: of images, pixels and places
    end = max(np.abs(one.map.values).max() for one in both_methods.maps)
    own |= {*np.round([end, end / 2], 1)}
    texts = [one.replace(",", "") for one in NUMBER.findall(text)]
    texts += [one for grid in cells_of(page) for row in grid for cell in row for one in cell]
    assert len(texts) > 500
    for one in texts:
        decimals = len(one.partition("e")[0].partition(".")[2])
        exponent = int(one.partition("e")[2] or 0)
        near = np.abs(np.abs(known) - abs(float(one))).min()
        is_own = float(one) in own or abs(float(one)) in own
        is_place = one.isdigit() and int(one) < 16
        assert near <= 0.51 * 10.0 ** (exponent - decimals) or is_own or is_place, one


def test_failing_map_is_not_drawn(both_methods):
    failed = with_failed_deletion(both_methods)
    with using("en"):
        text = render([failed], "finder")
    assert len(cells_of(text)) == 1
    assert "is not drawn, as it fails these checks: deletion" in text
    assert "p 0.400 &gt; 0.050" in english(text).replace(">", "&gt;")
    values = {f"{one:.1f}" for one in failed.maps[0].map.values.ravel() if abs(one) > 1}
    assert values
    assert not values & {cell[0] for grid in cells_of(text) for row in grid for cell in row}


def test_page_without_a_drawn_map_has_no_scale():
    failed = with_failed_deletion(explained())
    text = render([failed], "finder")
    assert 'class="scale"' not in text
    assert "No map of the predicted class is drawn" in text
    assert "proves itself more often: --method occlusion" in text


def test_another_method_is_named_only_where_no_map_is_shown(page, both_methods):
    failed = with_failed_deletion(both_methods)  # occlusion is there, too
    for text in (page, render([failed], "finder"), render([explained(hidden=True)], "finder")):
        assert "--method occlusion" not in text


def test_colours_end_at_the_largest_number_of_all_maps(both_methods):
    other = with_failed_deletion(explained())  # its map does not count
    text = render([both_methods, other], "finder")
    ends = re.search(r'class="ends">(.*?)</div>', text)[1]
    end = max(np.abs(one.map.values).max() for one in both_methods.maps)
    numbers = [float(one) for one in re.findall(r"<span>([^<]*)</span>", ends)]
    np.testing.assert_allclose(numbers, np.linspace(-end, end, 5), atol=0.05)


def test_pale_map_has_lines_and_says_so(page, both_methods):
    ((strong,), _others) = shown_map.shown_maps(both_methods, 10.0)
    assert not strong.lines
    for (shown,) in shown_map.shown_maps(both_methods, 400.0):
        step = float(shown.lines["step"])
        assert 0 < step < np.abs(shown.map.values).max()
        assert shown.lines["above"].startswith("M")
        assert "the colours end at 400" in shown.extent


def test_contrast_has_both_maps(contrast):
    difference, label, against = contrast.maps
    np.testing.assert_allclose(
        difference.map.values, label.map.values - against.map.values, atol=1e-3
    )
    text = render([contrast], "finder")
    titles = re.findall(r"<figcaption id=[^>]*>(?:<span lang=\"en\">)?([^<]*)<", text)
    assert titles == ["marked", "plain", "marked against plain"]
    (group,) = shown_map.shown_maps(contrast, 100.0)
    values = np.abs(difference.map.values)
    assert {one.place for one in group} == {np.unravel_index(values.argmax(), values.shape)}
    plain = contrast.to_dict()["maps"]
    assert [(one["explained"], one["against"]) for one in plain] == [
        ("marked", "plain"),
        ("marked", None),
        ("plain", None),
    ]


def test_regions_neighbours_and_doubts_are_shown(page):
    text = english(page)
    assert "of the image are enough: with everything else covered" in text
    assert "marked (0.988)" in text
    assert "the audit doubts this label and suggests marked" in text
    assert page.count('class="doubted"') == 1
    assert "this one costs most: with pixel rows" in text
    assert page.count('class="outline"') == 3


def test_notes_of_all_images_stand_once_at_the_top():
    unknown = explained(metrics=False)
    text = render([unknown, unknown], "finder")
    assert english(text).count("It is not known how often this network is correct") == 1
    without = english(render([unknown, explained()], "finder"))
    assert without.count("It is not known how often this network is correct") == 1


def test_the_page_says_which_threshold_an_image_does_not_reach():
    doubtful = replace(red_finder(), threshold=1.0)
    found = replace(Explainer(doubtful).explain(marked()), image="mark.png")
    text = english(render([found], "finder"))
    said = "does not reach the threshold of the classifier, 100.0 %: the image"
    assert text.count(said) == 1
    assert text.index("mark.png") < text.index(said) < text.index("explained:")
    shown = text[text.index("mark.png") : text.index(said)].split()
    assert shown[1:4] == ["none", "of", "these"]


def test_images_that_cannot_be_read_are_named():
    problem = _("{name}: there is no such file.").format(name="<b>gone.png")
    page = render([explained()], "finder", [problem, "other.png: damaged"])
    text = english(page)
    assert "2 images cannot be read and are left out:" in text
    assert "<b>gone.png: there is no such file." in text
    assert "other.png: damaged" in text
    assert "<b>gone" not in page
    assert "cannot be read" not in english(render([explained()], "finder"))


def test_network_without_an_exact_map_says_why_in_both_languages():
    text = render([explained(hidden=True)], "finder")
    assert "lies between the last feature map and the logits" in text
    assert "最後一張特徵圖" in re.sub(r"(?s)<style.*?</style>", "", text)


def test_randomisation_that_was_not_made_is_said(both_methods):
    from dataclasses import replace

    maps = tuple(replace(one, checks=one.checks[:2]) for one in both_methods.maps)
    text = english(render([replace(both_methods, maps=maps)], "finder"))
    assert text.count("The classifier holds no example images") == 2


@pytest.mark.parametrize(("language", "tag"), [("zh", "zh-Hant-TW"), ("en", "en")])
def test_page_holds_both_languages_and_starts_in_the_chosen_one(contrast, language, tag):
    with using(language):
        text = render([contrast], "finder")
    assert f'<html lang="{tag}">' in text
    assert "Why did the network say that?" in text
    assert "加總檢查" in text


def test_page_of_many_images_stays_small(both_methods):
    one = len(render([both_methods], "finder"))
    many = len(render([both_methods] * 20, "finder"))
    assert (many - one) / 19 < 80_000
