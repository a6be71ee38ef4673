"""Written: scores and their images as reports write them, so that the page rounds nothing itself.

Python and JavaScript round 56.25 to different numbers.
"""

from collections.abc import Mapping
from typing import Any

from convlens.language import again
from convlens.report.content import name_images, score_of
from convlens.text import printable

NO_PROPORTION = {"log_loss"}  # all other scores are shown in percent


def written(numbers: Mapping[str, Any], name: str = "accuracy") -> dict[str, Any]:
    """Return a score with what is written of it.

    Args:
        numbers: The score, as report.json has it.
        name: Its name there.
    """
    found = score_of(numbers)
    if name in NO_PROPORTION:
        found = type(found)(found.value, found.low, found.high, found.n, percent=False)
    return {**numbers, "text": found.value_text, "interval": found.interval_text}


def difference_written(pair: Mapping[str, float]) -> dict[str, str]:
    """Return what is written of the difference of two accuracies, in percentage points.

    Args:
        pair: The `difference` with its interval, `low` and `high`.
    """
    return {
        "difference_text": f"{100 * pair['difference']:+.1f}",
        "difference_interval": f"[{100 * pair['low']:+.1f}, {100 * pair['high']:+.1f}]",
    }


def seen_in_words(seen: str) -> str:
    """Return the name of the images that were scored, in the language that is chosen now."""
    return printable(again(name_images(seen)))
