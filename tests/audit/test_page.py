"""The page of an audit: what it says, in both languages, its limits, and what it never runs."""

import base64
import gettext
import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from convlens import language
from convlens.audit import cards
from convlens.audit import page as module
from convlens.audit.audit import Audit
from convlens.audit.codes import CODES
from convlens.audit.effect import leak_effect
from convlens.audit.finding import found
from convlens.audit.map import make_map
from convlens.audit.page import Measured, render, write_page
from convlens.data.dataset import Dataset
from convlens.evaluation.metrics import wilson
from convlens.language_choice import using
from tests.audit.made import make_dataset, make_findings
from tests.audit.test_effect import made as made_features
from tests.explain.test_languages import Signs, words_left


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("images") / "a <i>set")


def measured_of(dataset):
    """Return an effect, a share, and a map of random features."""
    rng = np.random.default_rng(1)
    features, labels = made_features(500)
    copies = np.arange(500)
    copies[400:] = np.arange(100)
    splits = np.array(["train"] * 400 + ["test"] * 100)
    one = Dataset("x", "x", np.zeros((500, 1, 1), np.uint8), labels, tuple("abcd"), splits=splits)
    return Measured(
        effects=[leak_effect(features, np.arange(500), one, copies)],
        map=make_map(rng.normal(size=(12, 8)), np.arange(12), make_findings(dataset), "gradients"),
        images=rng.integers(0, 256, (12, 16, 16, 3), np.uint8),
        share=wilson(9, 120),
    )


@pytest.fixture(scope="module")
def html(dataset):
    left_out = (("metadata", "there was no time"),)
    return render(Audit(dataset, make_findings(dataset), left_out, 1.5), measured_of(dataset))


def test_the_page_opens_offline_and_holds_its_images(html):
    assert not re.search(r"https?:|<link|@import|<iframe|src=\"(?!data:)", html)
    sources = re.findall(r'<img[^>]* src="data:image/(\w+);base64,([^"]+)"', html)
    # 1 + 3 pairs with 2 + 4 + 2 rows, of which 1 image cannot be read, and so on.
    assert len(sources) > 20
    for _kind, content in sources:
        Image.open(io.BytesIO(base64.b64decode(content))).verify()


def test_what_a_user_wrote_is_shown_and_never_run(html):
    assert "a &lt;i&gt;set" in html
    assert "&lt;b&gt;dog" in html
    for text in re.findall(r'data-classes="([^"]*)"', html):
        assert "<" not in text
    # The value of an option without one is its text, without blanks at its ends.
    assert '<option value="&lt;b&gt;dog">' in html
    body = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert "<i>set" not in body
    assert "<b>dog" not in body


def test_every_kind_has_its_row_and_its_section(html, dataset):
    for finding in make_findings(dataset):
        assert f'<section id="{finding.code}"' in html
        assert f'href="#{finding.code}"' in html
        assert CODES[finding.code].meaning in html
    for number, level in ((4, "errors"), (3, "warnings"), (3, "notes")):
        assert re.search(rf'<b>{number}</b><span class="what"><span lang="en">{level}<', html)


def test_pairs_have_their_difference_and_what_was_aligned(html):
    card = re.search(r'id="f1" .*?</article>', html, re.DOTALL)[0]
    assert card.count("<img") == 3
    assert "aligned: scaled by 2.0" in card
    assert re.search(r"mean difference \d+\.\d of 255", card)
    assert "image 0.png" in card
    assert "image 1.png" in card
    assert '<span lang="en">train</span>' in card
    flipped = re.search(r'id="f4" .*?</article>', html, re.DOTALL)[0]
    assert "aligned: mirrored; mean difference 0.0" in flipped
    several = re.search(r'id="f2" .*?</article>', html, re.DOTALL)[0]
    assert several.count('class="difference"') == 2
    assert "and 1 more image<" in several
    assert (
        "the files have the same bytes" in re.search(r'id="f3" .*?</article>', html, re.DOTALL)[0]
    )


def test_other_cards_say_what_was_measured(html):
    def card(number):
        return re.search(rf'id="f{number}" .*?</article>', html, re.DOTALL)[0]

    assert "This image cannot be read" in card(0)
    assert "no image at all" in card(0)
    assert "<dd>12.5</dd>" in card(5)
    assert "never heard of" in card(5)
    assert "<dd>98.7 %</dd>" in card(6)
    assert card(7).count("<img") == 11  # and one that cannot be read
    said = (
        "only width, size of the file (bytes), predicts the class of 91.0\xa0% [85.0, 95.0] of 120"
    )
    assert said in card(8)
    assert "width above 1,200 and file format is not PNG: 貓 (96\xa0% of 1,234 images)" in card(8)
    assert "correct for 35.0\xa0%" in card(8)
    assert "<img" not in card(9)


def test_the_effect_the_share_and_what_was_left_out_are_told(html, dataset):
    effect = measured_of(dataset).effects[0]
    assert (
        f"{effect.learned.value_text} {effect.learned.interval_text} with the leak".replace(
            " %", "\xa0%"
        )
        in html
    )
    assert "All 100 test images have a copy, or an image of the same capture or group" in html
    assert (
        "About 7.5\xa0% of 120 labels are wrong, by an estimate; its bounds are [4.0, 13.6]" in html
    )
    assert re.search(r"Left out:.*>metadata<.*>there was no time<", html)


def test_the_map_has_every_point_with_its_findings(html):
    content = json.loads(re.search(r'id="map-data">(.*?)</script>', html, re.DOTALL)[1])
    assert len(content["x"]) == len(content["y"]) == 12
    assert content["findings"][0] == [1, 7]
    assert content["classes"][1] == "<b>dog"
    assert content["label"] == [0, 0, 1, 1, 2, 2, 0, 1, 2, 0, 1, 2]
    assert content["split"][:2] == ["train", "test"]
    assert content["codes"][7] == "leaked_group"


def test_both_languages_have_the_same_texts(html):
    english = re.findall(r'<span lang="en">(.*?)</span>', html)
    chinese = re.findall(r'<span lang="zh-Hant-TW">(.*?)</span>', html)
    assert len(english) == len(chinese) > 100
    assert all(
        re.search("[\u4e00-\u9fff]", text) for text in chinese if text not in ("English", "900、4")
    )
    with using("zh"):
        assert chinese[english.index("Data check")] == "資料檢查"


def test_no_english_sentence_is_left_in_the_other_language(dataset, monkeypatch):
    known = {"zh": Signs(), "en": gettext.NullTranslations()}
    monkeypatch.setattr(language, "_translations", known.__getitem__)
    with using("zh"):
        text = render(Audit(dataset, make_findings(dataset)), measured_of(dataset))
    text = re.sub(r"<style.*?</style>|<script.*?</script>", "", text, flags=re.DOTALL)
    text = re.sub(r'<span lang="en">.*?</span>', "", text, flags=re.DOTALL)
    options = re.findall(r'data-zh="([^"]*)"', text)
    assert options
    text = re.sub(r"<[^>]*>", " ", text)
    names = {"png", "image", "Data", "set", "dog", "bird", "gradients", "width", "bytes"}
    names |= {"PNG", "never", "heard", "images", "English", "convlens", "problem", "all"}
    left = words_left(text) | words_left(" ".join(options))
    assert left - names - {"tmp", *re.findall("[A-Za-z]+", dataset.source)} == set()


def test_an_audit_without_findings_is_a_calm_page(dataset):
    text = render(Audit(dataset, ()))
    assert "Nothing was found." in text
    assert "<section" not in text
    assert 'id="map-data"' not in text


def test_five_thousand_findings_are_counted_and_most_are_only_named(tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (50, 12, 12), np.uint8)
    dataset = Dataset("made", "made", images, np.arange(50) % 2, ("a", "b"))
    findings = [
        found(code, dataset, [number % 50, (number + 1) % 50], {"kind": "near"})
        for code in ("near_duplicate", "two_labels")
        for number in range(2500)
    ]
    monkeypatch.setattr(cards, "PER_CODE", 6)
    monkeypatch.setattr(module, "PER_CODE", 6)
    path = write_page(tmp_path / "audit.html", Audit(dataset, tuple(findings)))
    text = path.read_text("utf-8")
    assert text.count("<article") == 12
    assert "12 of 5,000 findings are shown with their images: at most 6 of a kind" in text
    assert text.count("<li id=") == 2000
    assert "2,494 more findings, by name" in text
    assert "50 images" in text.partition('<div class="head">')[2].partition("</div>")[0]
    assert path.stat().st_size < 2_500_000


def test_the_images_stay_within_their_limit_and_every_kind_has_its_share(dataset, monkeypatch):
    one = make_findings(dataset)
    findings = (one[1],) * 30 + (one[5],) * 3
    monkeypatch.setattr(cards, "MOST_BYTES", 150_000)
    monkeypatch.setattr(cards, "cpu_count", lambda: 1)
    made = cards.make_cards(dataset, findings, None)
    size = sum(card.size for of_code in made.values() for card in of_code)
    assert len(made["dark"]) >= 1
    assert 1 <= len(made["leaked_near_duplicate"]) < 24
    assert size < 150_000 + 4 * 120_000
