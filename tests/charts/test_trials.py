"""The chart of a search."""

from convlens.charts.trials import show_trials


def test_a_chart_a_field():
    values = [
        {"filters": "64,128", "learning_rate": 1e-3},
        {"filters": "8,16", "learning_rate": 1e-1},
        {"filters": "64,128", "dropout": 0.2},
    ]
    figure = show_trials(values, [0.5, 0.9, 0.7], [True, True, False])
    trials, filters, rate, dropout = figure.axes
    assert [one.get_xlabel() for one in figure.axes] == [
        "trial",
        "filters",
        "learning_rate",
        "dropout",
    ]
    assert list(trials.lines[0].get_ydata()) == [0.5, 0.9, 0.9]
    assert [text.get_text() for text in filters.get_xticklabels()] == [
        "8,16",
        "64,128",
    ]  # by size, not by letters
    assert [float(line.get_ydata()[0]) for line in filters.lines] == [0.9, 0.6]  # means
    assert rate.get_xscale() == "log"
    assert dropout.get_xscale() == "linear"
    assert len(dropout.collections[0].get_offsets()) == 1
    faces = trials.collections[0].get_facecolors()
    assert tuple(faces[2][:3]) == (1.0, 1.0, 1.0)  # stopped early: hollow
    assert tuple(faces[0][:3]) != (1.0, 1.0, 1.0)
    assert all(float(tick).is_integer() for tick in trials.get_xticks())
    assert trials.get_title(loc="left")
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown == [
        "trial that ran to its end",
        "stopped early",
        "best so far",
        "mean of one setting",
    ]
    assert figure._repr_png_().startswith(b"\x89PNG")  # a notebook shows it
