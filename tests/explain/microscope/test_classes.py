"""The maps of the most probable classes of an opened image, as many as there is room for."""

import numpy as np
import pytest

from convlens.explain.microscope import classes
from convlens.explain.microscope.classes import explain_classes, map_shape
from convlens.explain.microscope.microscope import Microscope
from convlens.maps import explainer
from convlens.maps.deletion import choices_for
from convlens.maps.evidence import corrected
from convlens.maps.explainer import Explainer
from convlens.maps.heat import Target
from convlens.report.stored import RANDOMISATION
from convlens.run import Run
from tests.maps.networks import SIDE, marked, red_finder


@pytest.fixture(scope="module")
def microscope():
    return Microscope.look(red_finder(), marked())


def test_maps_are_those_of_the_explainer_with_the_most_probable_class_first(microscope):
    found = explain_classes(microscope)
    assert [one.map.target for one in found.maps] == [Target(1), Target(0)]
    alone = Explainer(microscope.classifier)
    alone.randomise("exact", microscope.classifier.examples)
    expected = corrected(
        [alone.check(marked(), alone.map(marked(), Target(label), "exact")) for label in (1, 0)]
    )
    assert choices_for(2) == 100  # as many as a check of a single map makes
    for one, other in zip(found.maps, expected, strict=True):
        np.testing.assert_array_equal(one.map.values, other.map.values)
        assert one.to_dict() == other.to_dict()
    assert [one.drawn for one in found.maps] == [True, False]
    assert found.notes == ()


def test_size_is_known_before_and_limits_the_number_of_maps(microscope, monkeypatch):
    found = explain_classes(microscope)
    assert found.size == sum(4 * one.map.values.size for one in found.maps)
    monkeypatch.setattr(classes, "BUDGET", 4 * 64)
    limited = explain_classes(microscope)
    assert [one.map.target for one in limited.maps] == [Target(1)]
    assert (limited.size, limited.left_out) == (256, ("plain",))
    assert limited.maps[0].checks[1].facts["maps"] == 1

    def refuse(*_args, **_kwargs):
        raise AssertionError

    monkeypatch.setattr(classes, "BUDGET", 4 * 64 - 1)
    monkeypatch.setattr(Explainer, "explain_each", refuse)
    monkeypatch.setattr(explainer, "randomise", refuse)
    nothing = explain_classes(microscope)
    assert (nothing.maps, nothing.left_out) == ((), ("marked", "plain"))


@pytest.mark.parametrize("hidden", [False, True])
def test_shape_is_that_of_the_maps(hidden):
    microscope = Microscope.look(red_finder(hidden=hidden), marked())
    found = explain_classes(microscope)
    assert map_shape(Explainer(microscope.classifier), microscope) == found.maps[0].map.values.shape


def test_network_without_exact_map_is_explained_by_occlusion_and_shuffles_nothing(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError

    monkeypatch.setattr(explainer, "randomise", refuse)
    found = explain_classes(Microscope.look(red_finder(hidden=True), marked()))
    assert {one.map.method for one in found.maps} == {"occlusion"}
    assert found.maps[0].map.values.shape == (SIDE // 2, SIDE // 2)
    assert "hidden (Dense)" in found.notes[0]


def test_check_by_shuffled_weights_is_kept_for_the_run(microscope, tmp_path):
    run = Run(tmp_path)
    microscope.classifier.save(run.classifier_path)
    explain_classes(microscope, run)
    kept = (tmp_path / RANDOMISATION).stat().st_mtime_ns
    explain_classes(microscope, run)
    assert (tmp_path / RANDOMISATION).stat().st_mtime_ns == kept
