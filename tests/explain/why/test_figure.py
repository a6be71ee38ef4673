"""The figure of explanations: pale maps have lines, and nothing of a name is cut off."""

from dataclasses import replace

import pytest

from convlens.explain.why.figure import draw_explanations
from convlens.language_choice import using
from tests.explain.why.made import explained

NAME = "IMG_20260912_083412_HDR_portrait_mode_very_long_filename(1).jpeg"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pale_map_has_lines_and_says_their_step(language):
    found = replace(explained(["exact", "occlusion"]), image=f"photos/{NAME}")
    with using(language):
        figure = draw_explanations([found])
    image, exact, occlusion = figure.axes[:3]
    assert image.get_title(loc="left").replace("\n", "").startswith(NAME)
    assert not exact.collections
    step = round(occlusion.collections[0].levels[1] - occlusion.collections[0].levels[0], 6)
    assert f"{step:g}" in occlusion.texts[0].get_text()


def test_the_answer_of_an_image_that_is_none_of_the_classes():
    found = explained(["exact"])
    doubtful = replace(found, prediction=replace(found.prediction, known=False))
    image = draw_explanations([doubtful]).axes[0]
    assert image.get_title(loc="left").endswith("predicted: none of these")
