"""Numbers: whole numbers that are given in one word, as in `--at 0,3`."""

from collections.abc import Sequence

from convlens.errors import ConfigError


def read_whole_numbers(
    text: str, what: str, form: str, counts: Sequence[int] = ()
) -> tuple[int, ...]:
    """Return the whole numbers of a text with commas or blanks between them.

    Args:
        text: The text, as "0,3".
        what: The flag, for the message.
        form: What the flag must be, for the message: "ROW,COL in whole numbers".
        counts: How many numbers are allowed; any number of them if empty.

    Raises:
        ConfigError: If a word is not a whole number, or there are too few or too many.

    >>> read_whole_numbers("0,3", "--at", "ROW,COL", counts=(2,))
    (0, 3)
    """
    try:
        found = tuple(int(word) for word in text.replace(",", " ").split())
    except ValueError:
        found = None
    if found is None or (counts and len(found) not in counts):
        raise ConfigError(
            "{what} must be {form}; found {text!r}.".format(what=what, form=form, text=text)
        )
    return found
