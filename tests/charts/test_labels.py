"""Labels beside points cover neither each other nor anything else."""

import numpy as np
import pytest

from convlens.charts.comparison import show_tradeoff
from convlens.charts.labels import LEADER, place_labels
from convlens.charts.style import new_chart
from convlens.evaluation.metrics import wilson
from tests.charts.drawing import drawn


def boxes(axes):
    return {text.get_text(): text.get_window_extent() for text in axes.texts}


def overlaps(axes) -> list[tuple[str, str]]:
    found = sorted(boxes(axes).items())
    return [
        (a, b)
        for i, (a, one) in enumerate(found)
        for b, other in found[i + 1 :]
        if one.overlaps(other)
    ]


def inside(axes) -> bool:
    frame = axes.get_window_extent()
    return all(
        frame.x0 <= one.x0 and one.x1 <= frame.x1 and frame.y0 <= one.y0 and one.y1 <= frame.y1
        for one in boxes(axes).values()
    )


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4))]
)
def test_labels_of_crowded_points_do_not_overlap(seed):
    random = np.random.default_rng(seed)
    names = [f"some_network_{i}" for i in range(12)]
    scores = [wilson(int(right), 1000) for right in random.integers(880, 960, 12)]
    figure = drawn(
        show_tradeoff(
            names, scores, {"cost": list(10 ** random.uniform(7, 8, 12)), "other": [5.0] * 12}
        )
    )
    assert overlaps(figure.axes[0]) == []
    assert inside(figure.axes[0])
    # At one and the same cost nothing can spread them, but they are drawn.
    assert len(boxes(figure.axes[1])) == 12


def test_a_label_that_is_far_from_its_point_is_joined_to_it():
    x = np.full(8, 0.5)
    y = np.linspace(0.48, 0.52, 8)
    with new_chart((4, 3)) as figure:
        axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1))
        axes.plot(x, y, "o")
        place_labels(figure, axes, x, y, [f"name {i}" for i in range(8)])
    assert overlaps(axes) == []
    far = [text for text in axes.texts if np.hypot(*text.get_position()) > 2 * LEADER]
    lines = axes.lines[1:]
    assert len(lines) >= len(far) > 0
    assert all(line.get_xdata()[0] == pytest.approx(0.5) for line in lines)
