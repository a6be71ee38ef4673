"""Plots: the charts of convlens in one place, for notebooks and programs.

Each function takes plain data and returns a matplotlib Figure, which shows itself in a notebook.

>>> from convlens.plots import show_metrics
>>> figure = show_metrics({"loss": [0.9, 0.4], "val_loss": [0.8, 0.5]})
>>> figure.axes[0].get_title(loc="left")
'loss'
"""

from convlens.charts.block import show_block
from convlens.charts.comparison import show_growth, show_published, show_tradeoff
from convlens.charts.curves import show_history, show_lines, show_metrics, show_scores
from convlens.charts.evaluation import show_calibration, show_confusion
from convlens.charts.flatten import show_flatten
from convlens.charts.images import show_images, show_sheet
from convlens.charts.neurons import show_neurons
from convlens.charts.path import show_path
from convlens.charts.pointwise import show_pointwise
from convlens.charts.tuning import show_regularization, show_trials
from convlens.charts.vgg import show_vgg

__all__ = [
    "show_block",
    "show_calibration",
    "show_confusion",
    "show_flatten",
    "show_growth",
    "show_history",
    "show_images",
    "show_lines",
    "show_metrics",
    "show_neurons",
    "show_path",
    "show_pointwise",
    "show_published",
    "show_regularization",
    "show_scores",
    "show_sheet",
    "show_tradeoff",
    "show_trials",
    "show_vgg",
]
