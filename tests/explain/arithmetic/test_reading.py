"""Numbers that are typed, named images and filters, files of a user, and what is refused."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from convlens.errors import ConfigError, ConvlensError, DataError
from convlens.explain.arithmetic.reading import (
    FILTERS,
    IMAGES,
    get_filter,
    get_image,
    read_matrix,
    read_numbers,
)


def test_whole_numbers_and_fractions_stay_exact_and_decimals_do_not():
    assert read_numbers("1, -2/3").tolist() == [1, Fraction(-2, 3)]
    assert read_numbers("1 0.5").dtype == np.float64
    assert read_matrix("1 2; 3 4 | 0 0; 0 1").shape == (2, 2, 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: read_numbers(" , ", "--values"), "--values must be numbers .* found none"),
        (lambda: read_numbers("1e101"), "within -1e.100 and 1e.100; found 1e101"),
        (lambda: read_matrix("1 2; 3", "--filter"), "--filter: .* row 2 has 1: '3'"),
        (lambda: read_matrix("1 | 1 2"), "one size; found 1 x 1, 1 x 2"),
    ],
)
def test_what_is_no_number_is_refused(call, words):
    with pytest.raises(ConfigError, match=words):
        call()


def test_every_name_can_be_had():
    assert all(get_image(name).ndim == 3 for name in IMAGES)
    assert all(get_filter(name).shape == (3, 3, 1) for name in FILTERS)
    x = get_image("x9")[..., 0]
    assert x.shape == (9, 9)
    assert (x == 1).sum() == 13
    assert set(x[0]) == {-1}
    assert get_filter("blur").sum() == 1


def test_own_files(tmp_path):
    (tmp_path / "p.csv").write_text("1,2\n3,1/2\n")
    assert get_image(str(tmp_path / "p.csv"))[..., 0].tolist() == [[1, 2], [3, Fraction(1, 2)]]
    Image.fromarray(np.array([[0, 255], [7, 9]], np.uint8)).save(tmp_path / "p.png")
    assert get_image(str(tmp_path / "p.png"))[..., 0].tolist() == [[0, 255], [7, 9]]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("nothing", ConfigError, "must be one of x9"),
        ("1 2; 3", ConfigError, "row 2 has 1: '3'"),
        ("1 a", ConfigError, "'a' is not a number"),
        ("1/0", ConfigError, "'1/0' is not a number"),
        ("1e200", ConfigError, "must lie within"),
        ("1 | 1 2", ConfigError, "channels must have one size"),
        ("no.csv", DataError, "cannot be read as CSV"),
        ("no.png", DataError, "no.png"),
        (";".join(["1"] * 41), DataError, "at most 40 x 40"),
    ],
)
def test_what_cannot_be_is_refused(text, kind, words):
    with pytest.raises(ConvlensError, match=words.replace("(", r"\(")) as error:
        get_image(text)
    assert isinstance(error.value, kind)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"9" * 200_000, "its content is cut off, changed or of another kind"),
        ("1,2,½\n".encode("cp1252"), "this is not UTF-8 text"),
    ],
)
def test_why_a_file_is_no_csv_is_said(tmp_path, content, reason):
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(DataError, match=f"cannot be read as CSV; {reason}"):
        get_image(str(tmp_path / "p.csv"))


@pytest.mark.parametrize("word", ["1e999999999", "1e-999999999", "1E+0009999"])
def test_an_exponent_of_many_digits_is_refused_at_once(word):
    with pytest.raises(ConfigError, match="is not a number"):
        read_numbers(word)
    assert read_numbers("1e0002").tolist() == [100.0]
