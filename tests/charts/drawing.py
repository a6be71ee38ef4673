"""What the tests of charts share."""

import io


def drawn(figure, *kinds):
    """Return the figure after drawing it, so that whatever fails in drawing fails here."""
    for kind in kinds or ("png",):
        file = io.BytesIO()
        figure.savefig(file, format=kind)
        assert file.getvalue().startswith({"png": b"\x89PNG", "svg": b"<?xml"}[kind])
    return figure


def words(figure):
    """Return the texts in the axes of a figure."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]
