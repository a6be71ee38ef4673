"""The check of the texts in the code: each way to show one that cannot be translated is found."""

import pytest
from tools.texts import find

HIDDEN = [
    'raise DataError("missing")',
    'raise DataError("{path}: missing".format(path=path))',
    'raise DataError(f"{path}: missing")',
    'screen.note("no images")',
    'screen.say("images  {n}".format(n=3))',
    'axes.set_title("accuracy")',
    "figure.suptitle(f'accuracy of {name}')",
    'Parameter(help="threads")',
    'size = setting("auto", "size of the images")',
    'HINT = "look at the images"',
    'text = f"{n} images left"',
    'def f(a: Annotated[int, Parameter(help="threads")]) -> None: ...',
    "def f(pair):\n    first, _ = pair\n    return _(first)",
]
ALLOWED = [
    '"""A module of images."""',
    'raise DataError(_("{path}: missing").format(path=path))',
    "raise DataError(message)",
    'Network(rows, doc="Return the logits.")',
    'raise DataError(ngettext("one image", "{n} images", n).format(n=n))',
    'HINT = N_("look at the images")',
    'screen.say("{path}".format(path=path))',
    'assert n > 0, "the images are counted"',
    'KEY = "val_accuracy"',
    'SOURCE = "arXiv: the paper"  # not translated: a title',
    "# not translated: names\nNAMES = 'cats and dogs'",
    'def f(a: "list of int") -> None: ...',
    "def f(pairs):\n    return [_(first) for first, _ in pairs]",
]


@pytest.mark.parametrize("code", HIDDEN)
def test_a_text_that_cannot_be_translated_is_found(code, tmp_path):
    file = tmp_path / "code.py"
    file.write_text(code, encoding="utf-8")
    assert len(list(find(file))) == 1


@pytest.mark.parametrize("code", ALLOWED)
def test_other_strings_are_left_alone(code, tmp_path):
    file = tmp_path / "code.py"
    file.write_text(code, encoding="utf-8")
    assert list(find(file)) == []
