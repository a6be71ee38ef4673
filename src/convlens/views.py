"""Views: calculations as pages of numbers, and explanations as figures, for notebooks.

>>> from convlens import arithmetic, get_image, views
>>> page = views.pooling_page(arithmetic.pool(get_image("pool-001"), 2), at=(1, 0))
>>> page.title
'Max pooling'

`views.draw_page(page)` returns the page as a figure. `convlens show` prints the same pages.
`views.draw_explanations` draws what `Classifier.explain` returns, as `convlens explain --png` does.
"""

from convlens.explain.pages.drawing import draw_page
from convlens.explain.pages.map_views import convolution_page, pooling_page
from convlens.explain.pages.network_views import network_page, sizes_page
from convlens.explain.pages.recognition_views import recognition_page
from convlens.explain.why.figure import draw_explanations

__all__ = [
    "convolution_page",
    "draw_explanations",
    "draw_page",
    "network_page",
    "pooling_page",
    "recognition_page",
    "sizes_page",
]
