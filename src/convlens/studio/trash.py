"""Trash: what was removed from a workspace is deleted for good."""

from convlens.language import ngettext
from convlens.studio.problem import GONE, Problem
from convlens.studio.studio import Studio
from convlens.studio.views import images_in


def empty(studio: Studio, known: int | None) -> int:
    """Delete what is in the trash, and return how many images that were.

    Args:
        studio: The studio.
        known: How many images somebody was asked about; None if nobody was.

    Raises:
        Problem: If the trash has another number of images, or if some cannot be deleted.
    """
    number = images_in(studio.workspace.places.trash)
    if known not in (None, number):
        text = ngettext(
            "the trash has {number:,} image by now; nothing was deleted.",
            "the trash has {number:,} images by now; nothing was deleted.",
            number,
        )
        raise Problem(text.format(number=number), GONE, "images")
    studio.workspace.empty_trash()
    left = images_in(studio.workspace.places.trash) + studio.thumbs.forget_gone()
    if left:
        raise Problem(
            ngettext(
                "{number:,} image of the trash could not be deleted; close what has it open, and "
                "see who may write there.",
                "{number:,} images of the trash could not be deleted; close what has them open, "
                "and see who may write there.",
                left,
            ).format(number=left),
            500,
        )
    return number
