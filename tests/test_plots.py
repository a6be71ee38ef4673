"""The public charts are in one place, documented, and return figures."""

import inspect

import numpy as np
from matplotlib.figure import Figure

from convlens import plots
from convlens.evaluation.metrics import accuracy


def test_every_chart_is_there_documented_and_returns_a_figure():
    assert sorted(plots.__all__) == plots.__all__
    found = {name for name in vars(plots) if name.startswith("show_")}
    assert set(plots.__all__) == found
    for name in plots.__all__:
        chart = getattr(plots, name)
        assert "Args:" in chart.__doc__, name
        assert inspect.signature(chart).return_annotation is Figure, name


def test_a_chart_is_drawn_from_plain_data():
    score = accuracy(np.array([0, 1]), np.array([0, 0]))
    figure = plots.show_scores({"test": {"a network": score}})
    assert figure._repr_png_().startswith(b"\x89PNG")
