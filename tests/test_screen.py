"""What a person sees: exact lines, and a bar on terminals only."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from convlens.screen import Screen, duration


def screen(*, terminal=False, colours=False, rows=True, quiet=False, width=40):
    """Return a screen and the text that it writes into; `colours` are those of FORCE_COLOR."""
    out = io.StringIO()
    out.isatty = lambda: terminal
    forced = terminal or colours
    console = Console(
        file=out, force_terminal=forced, width=width, highlight=False, soft_wrap=True, quiet=quiet
    )
    return Screen(console=console, rows=rows), out


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (7320, "2 h 02 min"),
    ],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_facts_are_aligned_and_keep_the_lines_of_a_value():
    shown, out = screen()
    shown.facts([("images", "12 in 2 classes"), ("run", "first\nsecond [bold]"), ("time", "")])
    assert out.getvalue().splitlines() == [
        "images  12 in 2 classes",
        "run     first",
        "        second [bold]",
        "time    ",
    ]


def test_nothing_is_cut_to_the_width_of_the_terminal():
    shown, out = screen(width=20)
    shown.facts([("images", "x" * 50)])
    shown.columns([("name", "value"), ("y" * 50, "1")])
    assert "images  " + "x" * 50 in out.getvalue()
    assert out.getvalue().splitlines()[-1] == "y" * 50 + "      1"


@pytest.mark.parametrize(
    ("terminal", "width", "lines"),
    [
        (
            True,
            24,
            ["run   began", "  accuracy  state", "cats  2026-11-29", "    50.0 %  已完成"],
        ),
        (True, 36, ["run   began       accuracy  state", "cats  2026-11-29    50.0 %  已完成"]),
        (False, 24, ["run   began       accuracy  state", "cats  2026-11-29    50.0 %  已完成"]),
    ],
)
def test_a_table_that_is_wider_than_the_terminal_goes_on_below_each_row(terminal, width, lines):
    """A file has its rows whole."""
    shown, out = screen(terminal=terminal, width=width)
    rows = [("run", "began", "accuracy", "state"), ("cats", "2026-11-29", "50.0 %", "已完成")]
    shown.columns(rows, left=(0, 1, 3))
    assert re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines() == lines


def test_a_file_with_forced_colours_has_its_rows_whole_and_no_bar():
    shown, out = screen(colours=True, width=20)
    shown.columns([("name", "value"), ("y" * 50, "1")])
    with shown.counter("decoding") as progress:
        progress(1, 2)
    with shown.status("writing") as show:
        show("still writing")
    assert out.getvalue().splitlines()[1:] == ["y" * 50 + "      1"]


def test_columns_align_words_to_the_left_and_numbers_to_the_right():
    shown, out = screen()
    shown.columns([("name", "size", "kind"), ("a", "7", "b"), ("long", "12345", "c")], left=(0, 2))
    assert out.getvalue().splitlines() == [
        "name   size  kind",
        "a         7  b",
        "long  12345  c",
    ]


def test_chinese_names_are_twice_as_wide():
    shown, out = screen()
    shown.columns([("class", "images"), ("臺灣藍鵲", "7"), ("cat", "12"), ("two\nlines", "1")])
    shown.facts([("類別", "2"), ("images", "3")])
    assert out.getvalue().splitlines() == [
        "class      images",
        "臺灣藍鵲        7",
        "cat            12",
        "two lines       1",
        "類別    2",
        "images  3",
    ]


def test_text_is_not_read_as_markup():
    shown, out = screen()
    shown.say("[red]5[/red]")
    shown.note("[1/2]")
    assert out.getvalue() == "[red]5[/red]\nnote  [1/2]\n"


def test_a_quiet_screen_prints_nothing(capsys):
    shown = Screen(quiet=True)
    shown.say("a")
    shown.note("b")
    shown.facts([("c", "d")])
    assert capsys.readouterr() == ("", "")


def test_a_row_for_each_epoch_and_a_mark_for_the_best():
    shown, out = screen()
    shown.start(0, 10)
    shown.step(0, 2, 5, 0.5)
    row = {"epoch": 1, "seconds": 1.25, "loss": 0.5, "accuracy": 0.75, "learning_rate": 0.002}
    shown.epoch(row, best=True)
    shown.epoch(row | {"epoch": 2, "val_loss": 0.25, "val_accuracy": 1.0}, best=False)
    shown.stop()
    heading, first, second = out.getvalue().splitlines()[-3:]
    assert heading.split()[-2:] == ["val_accuracy", "learning_rate"]
    assert (
        first == "      1      1.2   0.5000    0.7500         -             -       2.00e-03  best"
    )
    assert second == "      2      1.2   0.5000    0.7500    0.2500        1.0000       2.00e-03"


def test_without_validation_images_the_last_epoch_is_the_classifier():
    shown, out = screen()
    shown.start(0, 10, chooses=False)
    shown.stop()
    assert "the classifier is the last epoch" in out.getvalue()
    assert "best" not in out.getvalue()


def test_a_table_that_goes_on_has_no_row_and_no_heading_twice():
    shown, out = screen()
    row = {"epoch": 1, "seconds": 1.0, "loss": 0.5, "accuracy": 0.75, "learning_rate": 0.002}
    shown.start(0, 10)
    shown.epoch(row, best=True)
    shown.stop()
    shown.note("planned anew")
    shown.go_on()
    shown.start(5, 20)
    shown.epoch(row, best=True)
    shown.epoch(row | {"epoch": 2}, best=False)
    shown.stop()
    shown.start(0, 10)  # of another training
    shown.epoch(row, best=False)
    shown.stop()
    said = out.getvalue()
    assert said.count("learning_rate") == 2
    *_heading, heading, again = said.splitlines()
    assert "learning_rate" in heading
    epochs = [line.split()[0] for line in said.splitlines() if line.strip()[:1].isdigit()]
    assert epochs == ["1", "2", "1"]
    assert again.split()[0] == "1"


def test_no_empty_line_stands_at_the_top():
    shown, out = screen()
    shown.gap()
    shown.say("first")
    shown.gap()
    shown.say("second")
    assert out.getvalue() == "first\n\nsecond\n"


def test_without_rows_only_the_bar_is_shown():
    shown, out = screen(rows=False)
    shown.start(0, 10)
    shown.epoch({"epoch": 1}, best=True)
    shown.stop()
    assert out.getvalue() == ""


def test_the_bar_says_the_epoch_the_loss_and_the_time_left():
    shown, out = screen(terminal=True, rows=False, width=120)
    shown.start(10, 40)
    shown.step(1, 4, 20, 0.5)
    shown.stop()
    assert "epoch 2 of 4  loss 0.5000" in out.getvalue()
    assert "50 %" in out.getvalue()
    assert "left" in out.getvalue()


def test_a_counter_shows_how_much_is_done_and_goes_away_after_an_error():
    shown, out = screen(terminal=True, width=120)

    def count():
        with shown.counter("decoding") as progress:
            progress(1, 2000)
            progress(1500, 2000)
            raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        count()
    assert "decoding" in out.getvalue()
    assert "1,500 of 2,000" in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K")  # the line of the bar is erased
    silent, out = screen()
    with silent.counter("decoding") as progress:
        progress(1, 2)
        progress.part("comparing")(1, 2)
    assert out.getvalue() == ""


def test_each_part_of_a_work_has_its_own_bar():
    shown, out = screen(terminal=True, width=120)
    with shown.counter("decoding") as progress:
        progress(2000, 2000)
        part = progress.part("comparing")
        part(3, 7)
        before = len(out.getvalue())
        part(4, 7)
    said = out.getvalue()
    assert "comparing" in said[before:]
    assert "4 of 7" in said[before:]
    assert "decoding" not in said[before:]


def test_names_between_colons_are_no_emoji(capsys):
    Screen().facts([("classes", ":cat: 2D:AB:CD")])
    assert ":cat: 2D:AB:CD" in capsys.readouterr().out


def test_no_console_puts_emoji_in_the_place_of_names():
    for path in Path("src/convlens").rglob("*.py"):
        made = re.findall(r"\bConsole\((.*)", path.read_text(encoding="utf-8"))
        assert all(one.startswith("emoji=False") for one in made), path
