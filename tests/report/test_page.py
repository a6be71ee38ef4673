import base64
import errno
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB

from convlens.errors import StorageError
from convlens.evaluation.evaluate import evaluate
from convlens.language_choice import using
from convlens.report.page import write_report

HISTORY = [
    {
        "epoch": i,
        "seconds": 1.0,
        "loss": 1 / i,
        "accuracy": 0.8,
        "val_loss": float("nan"),
        "val_accuracy": 0.7,
        "learning_rate": 0.1,
    }
    for i in (1, 2, 3)
]
NASTY = [
    "<script>alert(1)</script>",
    'a"b&c',
    "貓",
    "狗",
    "圓仔花",
    "臺灣藍鵲",
    "$6$",
    "七",
    "八",
    "九",
]


@pytest.fixture(scope="module")
def digits():
    """Scikit-learn's digits and naive Bayes, which misclassifies about one of seven."""
    images, labels = load_digits(return_X_y=True)
    model = GaussianNB(var_smoothing=1e-3).fit(images[:1200], labels[:1200])
    shown = (images[1200:] * 15.9).astype(np.uint8).reshape(-1, 8, 8, 1)
    return labels[1200:], model.predict_proba(images[1200:]), shown


@pytest.fixture(scope="module")
def page(digits, tmp_path_factory):
    labels, probabilities, images = digits
    path = write_report(
        tmp_path_factory.mktemp("run"),
        evaluate(labels, probabilities, NASTY),
        title="digits: <naive> Bayes",
        history=HISTORY,
        settings={
            "training": {"epochs": 3, "learning_rate": 0.001, "threads": None, "precision": "auto"}
        },
        data={
            "source": Path("<here>"),
            "counts": {"train": np.full(10, 120), "test": [59] * 10},
            "notes": ("1 left <out>",),
        },
        images=images.__getitem__,
        image_names=[f"<i>{i}.png" for i in range(len(labels))],
        extra={"seconds": 1.5, "versions": {"keras": "3.15"}, "n": "never overrides"},
    )
    return path, path.read_text(encoding="utf-8")


def test_the_folder_holds_page_numbers_and_plots_and_nothing_unfinished(page):
    names = {
        str(path.relative_to(page[0].parent))
        for path in page[0].parent.rglob("*")
        if path.is_file()
    }
    plots = {f"plots/{name}.png" for name in ("history", "confusion", "calibration", "mistakes")}
    assert names == {"report.html", "report.json", *plots}
    for name in plots:
        Image.open(page[0].parent / name).verify()


def test_the_page_opens_offline(page):
    html = page[1]
    assert not re.search(r"https?:|<script|<link|@import|<iframe", html)
    for pattern in (r'src="([^"]*)"', r"url\(([^)]*)\)"):
        sources = re.findall(pattern, html)
        assert sources
        assert all(source.startswith("data:") for source in sources)


def test_settings_have_names_with_their_keys_as_tooltips(page):
    found = re.search(r'<span title="learning_rate">(.*?)</div>', page[1], re.DOTALL)
    assert "learning rate" in found[1]
    assert "學習率" in found[1]
    found = re.search(r'<span title="precision">(.*?)</div>', page[1], re.DOTALL)
    assert "numerical precision" in found[1]


def test_what_a_user_wrote_is_shown_and_never_run(page):
    html = page[1]
    for text in (
        "&lt;script&gt;alert(1)",
        "&lt;naive&gt;",
        "&lt;here&gt;",
        "1 left &lt;out&gt;",
        "&lt;i&gt;",
    ):
        assert text in html
    assert "<i>" not in html
    assert "<naive>" not in html


def test_the_page_says_what_the_json_says(page, digits):
    facts = json.loads((page[0].parent / "report.json").read_text(encoding="utf-8"))
    labels, probabilities, _ = digits
    assert facts["metrics"]["accuracy"]["value"] == np.mean(labels == probabilities.argmax(1))
    accuracy = facts["metrics"]["accuracy"]
    assert f"{100 * accuracy['value']:.1f} %" in page[1]
    assert f"[{100 * accuracy['low']:.1f}, {100 * accuracy['high']:.1f}]" in page[1]
    assert facts["n"] == len(labels)
    assert facts["history"][0]["val_loss"] is None
    assert facts["versions"] == {"keras": "3.15"}
    assert facts["data"]["counts"]["train"] == [120] * 10
    assert "1,200" in page[1]  # the sum of the train images
    worst = facts["mistakes"][0]
    assert worst["label"] == NASTY[labels[worst["index"]]] != worst["predicted"]


def test_the_json_is_strict(page):
    def refuse(name):
        raise AssertionError(name)

    json.loads((page[0].parent / "report.json").read_text(encoding="utf-8"), parse_constant=refuse)


def test_mistakes_are_red_and_correct_predictions_green(page):
    assert page[1].count('<figure class="wrong"') == 24
    assert page[1].count('<figure class="right"') == 16
    first = re.search(r'<figure class="wrong".*?src="data:image/png;base64,([^"]+)"', page[1], re.S)
    assert first is not None
    assert Image.open(io.BytesIO(base64.b64decode(first[1]))).size == (8, 8)


def test_the_font_in_the_page_has_every_chinese_character_of_it(page):
    font = re.search(r"data:font/woff;base64,([^)]+)\)", page[1])
    assert font is not None
    characters = set(TTFont(io.BytesIO(base64.b64decode(font[1]))).getBestCmap())
    assert {ord(c) for c in page[1] if ord(c) >= 0x2E80} <= characters
    assert characters >= {ord(c) for c in "貓狗圓仔花臺灣藍鵲"}


def test_the_page_has_every_text_in_both_languages(page):
    assert page[1].startswith('<!DOCTYPE html>\n<html lang="en">')
    english = re.findall(r'<span lang="en">(.*?)</span>', page[1])
    chinese = re.findall(r'<span lang="zh-Hant-TW">(.*?)</span>', page[1])
    assert len(english) == len(chinese) > 60
    assert english[chinese.index("混淆矩陣")] == "Confusion matrix"
    assert page[1].count('<img class="chart" lang="en"') == 3
    assert page[1].count('<img class="chart" lang="zh-Hant-TW"') == 3
    assert 'alt="Confusion matrix; every number is in report.json"' in page[1]
    assert 'alt="混淆矩陣；每個數字都在 report.json"' in page[1]


def test_the_page_opens_in_the_chosen_language(digits, tmp_path, no_charts):
    labels, probabilities, _ = digits
    evaluation = evaluate(labels, probabilities, list("0123456789"))
    with using("zh"):
        html = write_report(tmp_path, evaluation, title="t").read_text("utf-8")
    assert html.startswith('<!DOCTYPE html>\n<html lang="zh-Hant-TW">')


def test_names_that_are_not_utf_8_are_written(tmp_path):
    names = [f"gr\udcf6{i}.png" for i in range(4)]
    evaluation = evaluate([0, 1, 0, 1], np.eye(2)[[0, 1, 1, 0]], ["a", "b\udcdf"])
    page = write_report(
        tmp_path,
        evaluation,
        title="l\udce4uf",
        data={"source": "d\udcf6ten"},
        images=np.zeros((4, 8, 8, 1), np.uint8).__getitem__,
        image_names=names,
    )
    html = page.read_text("utf-8")
    assert all(text in html for text in (r"gr\udcf63.png", r"l\udce4uf", r"d\udcf6ten", r"b\udcdf"))
    facts = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert {one["name"] for one in facts["mistakes"]} == set(names[2:])


def test_ten_images_without_a_mistake_a_history_or_a_name(tmp_path):
    evaluation = evaluate(
        [0, 1] * 5, np.eye(3)[[0, 1] * 5], ["a", "b", "never"], images_seen="validation"
    )
    html = write_report(
        tmp_path, evaluation, title="ten", images=np.zeros((10, 300, 200, 3), np.uint8).__getitem__
    ).read_text("utf-8")
    assert "There are no mistakes" in html
    assert "chosen on these images" in html
    assert "marks a score that is not defined" in html
    assert "The most confident mistakes" not in html
    assert not (tmp_path / "plots" / "mistakes.png").exists()
    assert not (tmp_path / "plots" / "history.png").exists()


@pytest.mark.parametrize(
    ("classes", "n"), [(2, 200), pytest.param(100, 2000, marks=pytest.mark.slow)]
)
def test_the_page_stays_small(classes, n, tmp_path):
    random = np.random.default_rng(0)
    noise = random.integers(
        0, 255, (224, 224, 3), dtype=np.uint8
    )  # gives the largest JPEG there is
    images = np.broadcast_to(noise, (n, *noise.shape))
    evaluation = evaluate(
        random.integers(classes, size=n),
        random.dirichlet(np.ones(classes), n),
        [f"c{i}" for i in range(classes)],
    )
    assert (
        write_report(tmp_path, evaluation, title="t", images=images.__getitem__).stat().st_size
        < 3_000_000
    )


def test_a_full_disk_leaves_the_earlier_report_whole(digits, tmp_path, monkeypatch):
    labels, probabilities, _ = digits
    evaluation = evaluate(labels, probabilities, list("0123456789"))
    path = write_report(tmp_path, evaluation, title="first")
    write = Path.write_bytes

    def full(self, data):
        write(self, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left"):
        write_report(tmp_path, evaluation, title="second")
    assert "<title>first</title>" in path.read_text("utf-8")
    assert not [one for one in tmp_path.rglob("*") if one.name.startswith(".")]


def test_the_threshold_is_told_in_words_and_numbers(digits, tmp_path):
    labels, probabilities, _ = digits
    evaluation = evaluate(labels, probabilities, list("0123456789"), threshold=0.95)
    html = write_report(
        tmp_path, evaluation, title="t", extra={"temperature": 1.875, "threshold": 0.95}
    ).read_text("utf-8")
    passed = probabilities.max(1) >= 0.95
    right = probabilities.argmax(1)[passed] == labels[passed]
    facts = json.loads((tmp_path / "report.json").read_text("utf-8"))
    found = facts["none_of_these"]
    assert found["answered"]["value"] == passed.mean()
    assert (found["accuracy"]["value"], found["accuracy"]["n"]) == (right.mean(), passed.sum())
    assert found["accuracy"]["low"] < right.mean() < found["accuracy"]["high"]
    assert (facts["temperature"], facts["threshold"]) == (1.875, 0.95)
    reached = f"reached by {passed.sum()} of these 597 images: {100 * passed.mean():.1f}\xa0%"
    assert reached in html
    assert "temperature of 1.88, which lowers the confidence" in html
    assert "not calibrated" not in html


def test_a_threshold_that_no_image_reaches(digits, tmp_path):
    labels, probabilities, _ = digits
    evaluation = evaluate(labels, probabilities, list("0123456789"), threshold=1.1)
    html = write_report(tmp_path, evaluation, title="t").read_text("utf-8")
    assert "reached by 0 of these 597 images" in html
    assert evaluation.to_dict()["none_of_these"]["accuracy"]["value"] is None


def test_without_a_threshold_there_is_no_such_section(page):
    assert "None of these" not in page[1]
    assert "temperature of" not in page[1]
    assert json.loads((page[0].parent / "report.json").read_text("utf-8"))["none_of_these"] is None
