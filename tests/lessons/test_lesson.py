"""What the cells of a lesson are given."""

import numpy as np
import pytest

from convlens import arithmetic, get_image, views
from convlens.data.dataset import Dataset
from convlens.errors import ConfigError, DataError
from convlens.evaluation.metrics import wilson
from convlens.lessons import lesson as module
from convlens.lessons.lesson import STAND_INS, Lesson
from convlens.plots import show_lines, show_metrics, show_scores


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_data_set_has_a_stand_in_of_as_many_classes(here, capsys):
    lesson = Lesson("000", quick=True)
    classes = {name: lesson.data(name).num_classes for name in STAND_INS}
    assert classes == {"mnist": 10, "fashion_mnist": 10, "cifar10": 10, "cats_dogs": 2}
    assert all(lesson.stands_in(name) for name in STAND_INS)
    said = capsys.readouterr().out
    for name, what in STAND_INS.items():
        assert f"in place of {name}: {what}" in said


def test_arrays_are_as_keras_datasets_gives_them_and_mixed(here):
    (x_train, y_train), (x_test, y_test) = Lesson("000", quick=True).arrays("mnist")
    assert (x_train.shape, x_test.shape) == ((4000, 28, 28, 1), (1000, 28, 28, 1))
    assert x_train.dtype == np.uint8
    assert np.bincount(y_test).tolist() == [100] * 10
    assert (
        len(set(y_train[:50].tolist())) == 10
    )  # sorted by class, validation_split would hold back one digit only
    again = Lesson("000", quick=True).arrays("mnist")[0][0]
    np.testing.assert_array_equal(again, x_train)


def test_arrays_of_a_size_and_colour(here):
    (x_train, _), _ = Lesson("000", quick=True).arrays("cifar10", size=32, channels="rgb")
    assert x_train.shape[1:] == (32, 32, 3)


def test_a_published_division_is_kept_in_its_order(here, monkeypatch):
    images = np.arange(8 * 4 * 4, dtype=np.uint8).reshape(8, 4, 4)
    labels = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    splits = np.array(["train"] * 5 + ["test"] * 3)
    dataset = Dataset("known", "array", images, labels, ("a", "b"), splits)
    monkeypatch.setattr(module, "load_data", lambda source: dataset)
    (x_train, y_train), (x_test, y_test) = Lesson("000").arrays("mnist")
    np.testing.assert_array_equal(x_train[..., 0], images[:5])
    np.testing.assert_array_equal(x_test[..., 0], images[5:])
    assert (y_train.tolist(), y_test.tolist()) == ([0, 1, 0, 1, 0], [1, 0, 1])


def test_what_cannot_be_had_is_said_and_others_stand_in(here, monkeypatch, capsys):
    load = module.load_data

    def offline(source):
        if source == "fashion_mnist":
            raise DataError("fashion_mnist is not on this computer. Get it from somewhere.")
        return load(source)

    monkeypatch.setattr(module, "load_data", offline)
    lesson = Lesson("002")
    assert lesson.data("fashion_mnist").num_classes == 10
    assert lesson.stands_in("fashion_mnist")
    said = capsys.readouterr().out
    assert "Get it from somewhere" in said
    assert "goes on with other images" in said
    lesson.compare("MLP", wilson(90, 100), data="fashion_mnist", deck=0.8737, seconds=3)
    said = capsys.readouterr().out
    assert "other images" in said
    assert "87.37" not in said


def test_images_that_a_lesson_generates_replace_nothing(here, capsys):
    lesson = Lesson("005", quick=True)
    lesson.compare("shapes", wilson(190, 200), seconds=12)
    (result,) = lesson.results
    assert result.stand_in is None
    assert "95.00 %" in capsys.readouterr().out


def test_a_wrong_place_is_an_error_and_no_stand_in(here):
    with pytest.raises(DataError, match="nowhere"):
        Lesson("002", data={"mnist": "nowhere"}).data("mnist")


def test_unknown_images_are_refused(here):
    with pytest.raises(ConfigError, match="imagenet"):
        Lesson("002").data("imagenet")
    with pytest.raises(ConfigError, match="imagenet"):
        Lesson("002", data={"imagenet": "somewhere"})


def test_the_deck_stands_beside_ours_where_the_images_are_the_decks(here, capsys, monkeypatch):
    lesson = Lesson("001")
    monkeypatch.setattr(lesson, "stands_in", lambda name: False)
    lesson.compare("a CNN", wilson(9918, 10_000), data="mnist", deck=0.9912, seconds=61.4)
    lesson.compare("another", wilson(9000, 10_000), data="mnist")
    lesson.table()
    said = capsys.readouterr().out
    for words in ("99.12 %", "99.18 %", "[98.98, 99.34]", "10,000", "61", "90.00 %"):
        assert words in said
    assert [result.published for result in lesson.results] == [0.9912, None]


def test_folders_and_places_are_new(here):
    first = Lesson("001")
    first.folder.mkdir(parents=True)
    assert (str(first.folder), str(Lesson("001").folder)) == (
        "runs/lesson-001",
        "runs/lesson-001-2",
    )
    (first.folder / "a.png").touch()
    assert first.place("a.png").name == "a-2.png"


def test_charts_are_written_where_they_are_shown(here):
    lesson = Lesson("001")
    scores = [wilson(90, 100), wilson(80, 100)]
    panels = {
        "平移 shifted": {"CNN": ([0, 1], scores), "MLP": ([0, 1], [0.5, 0.4])},
        "縮放": {"CNN": ([0], [1.0])},
    }
    figures = {
        "lines": show_lines(panels, across="多少", up="準確率", percent=True),
        "scores": show_scores({"a": {"CNN": scores[0]}, "b": {"MLP": scores[1]}}),
        "metrics": show_metrics({"loss": [1, 0.5], "val_loss": [1, 0.7], "accuracy": [0.5, 0.7]}),
    }
    for name, figure in figures.items():
        assert lesson.show(figure, name) is figure
    lesson.show(views.pooling_page(arithmetic.pool(get_image("pool-001"), 2)), "page")  # is drawn
    assert [path.stem for path in lesson.plots] == [*figures, "page"]
    assert all(path.stat().st_size > 1000 for path in lesson.plots)
    assert [axes.get_title(loc="left") for axes in figures["metrics"].axes] == ["loss", "accuracy"]
