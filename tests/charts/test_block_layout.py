"""Branches stand side by side, and lines that lead past layers have lanes."""

from dataclasses import replace

import pytest

from convlens.anatomy.summary import LayerRow
from convlens.charts.block_layout import APART, DOWN, LANE, Layout

ROW = LayerRow("", "Conv2D", (), (8, 8, 4), 0, 0, 0, None, None, 1, None, None)
SIZE = (1.0, 0.5)


def lay_out(*rows):
    """Lay out rows that are given as (kind, inputs)."""
    made = [
        replace(ROW, name=str(number), kind=kind, inputs=inputs)
        for number, (kind, inputs) in enumerate(rows)
    ]
    return Layout(made, [SIZE] * len(made))


def test_a_path_goes_down():
    layout = lay_out(("InputLayer", ()), ("Conv2D", (0,)), ("ReLU", (1,)))
    step = SIZE[1] + DOWN
    assert layout.places == {0: (0, 0), 1: (0, -step), 2: (0, -2 * step)}
    assert layout.edges() == [(0, 1), (1, 2)]
    assert not layout.lanes


def test_branches_end_together():
    layout = lay_out(
        ("InputLayer", ()), ("Conv2D", (0,)), ("Conv2D", (0,)), ("Conv2D", (2,)),
        ("Concatenate", (1, 3)),
    )  # fmt: skip
    step = SIZE[1] + DOWN
    apart = (SIZE[0] + APART) / 2
    assert layout.places[1] == pytest.approx((-apart, -2 * step))
    assert layout.places[2] == pytest.approx((apart, -step))
    assert layout.places[3] == pytest.approx((apart, -2 * step))
    assert layout.places[4] == pytest.approx((0, -3 * step))
    assert sorted(layout.edges()) == [(0, 1), (0, 2), (1, 4), (2, 3), (3, 4)]


@pytest.mark.parametrize("kind", ["Add", "Concatenate"])
def test_a_shortcut_has_a_lane(kind):
    layout = lay_out(("InputLayer", ()), ("Conv2D", (0,)), (kind, (0, 1)))
    assert layout.lanes == {(0, 2): pytest.approx(SIZE[0] / 2 + LANE)}
    assert layout.edges() == [(0, 1), (1, 2)]


def test_additions_do_not_hand_on_what_they_add():
    layout = lay_out(
        ("InputLayer", ()), ("Conv2D", (0,)), ("Add", (0, 1)), ("Conv2D", (2,)), ("Add", (2, 3))
    )
    lane = pytest.approx(SIZE[0] / 2 + LANE)
    assert layout.lanes == {(0, 2): lane, (2, 4): lane}


def test_in_a_dense_block_every_output_leads_to_all_later_concatenations():
    layout = lay_out(
        ("InputLayer", ()),
        ("Conv2D", (0,)), ("Concatenate", (0, 1)),
        ("Conv2D", (2,)), ("Concatenate", (2, 3)),
        ("Conv2D", (4,)), ("Concatenate", (4, 5)),
    )  # fmt: skip
    assert set(layout.lanes) == {(0, 2), (0, 4), (0, 6), (1, 4), (1, 6), (3, 6)}
    assert layout.edges() == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)]
    of = {source: {x for (one, _), x in layout.lanes.items() if one == source}
          for source in (0, 1, 3)}  # fmt: skip
    assert all(len(lanes) == 1 for lanes in of.values())
    assert max(of[0]) > max(of[1]) > max(of[3]) > SIZE[0] / 2


def test_connected_branches_have_lanes_past_the_boxes():
    """1 and 2 lead to 3, and 1 to 4 as well: no nesting of branches describes this."""
    layout = lay_out(
        ("InputLayer", ()), ("Conv2D", (0,)), ("Conv2D", (0,)), ("Add", (1, 2)),
        ("Concatenate", (1, 3)), ("Concatenate", (2, 4)),
    )  # fmt: skip
    every = {(0, 1), (0, 2), (1, 3), (2, 3), (1, 4), (3, 4), (2, 5), (4, 5)}
    assert {*layout.edges(), *layout.lanes} == every
    for source, target in layout.edges():
        between = [y for number, (_, y) in layout.places.items() if number not in (source, target)]
        low, high = layout.places[target][1], layout.places[source][1]
        assert not any(low < y < high for y in between)
    assert len(set(layout.lanes.values())) == len(layout.lanes)
