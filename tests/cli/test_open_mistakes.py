"""What `convlens open` says of mistakes: one line, and an exit code that tells their kind."""

import numpy as np
import pytest

from tests.cli.commands import run
from tests.conftest import draw_shape

CONV = "block1_conv1"  # of the run that the tests of commands share


@pytest.fixture
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "disc.png"
    draw_shape("disc", np.random.default_rng(3), (50, 40)).save(path)
    return path


def test_a_search_and_a_comparison_name_the_runs_inside(trained, image, capsys, here):
    for kind in ("search", "compare"):
        inner = here / "runs" / kind / "trials" / "003"
        inner.mkdir(parents=True)
        (here / "runs" / kind / f"{kind}.json").write_text("{}")
        if kind == "search":
            (here / "runs" / kind / "run.toml").write_text("")
        assert run("open", kind, image) == 5
        assert "no run inside has a classifier" in capsys.readouterr().err
        (inner / "classifier.keras").write_bytes((trained / "classifier.keras").read_bytes())
        (inner / "run.toml").write_text("")
        assert run("open", kind, image) == 5
        err = capsys.readouterr().err
        assert f"made by `convlens {kind}`" in err
        assert f"runs/{kind}/trials/003" in err
        assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            ["--layer", "CONV", "--filter", "0", "--at", "32,0"],
            2,
            "row 32 is outside: take 0 to 31",
        ),
        (["--layer", "CONV", "--filter", "9", "--at", "0,0"], 2, "has no filter 9: take 0 to 7"),
        (["--layer", "CONV", "--at", "0,0"], 2, "has 8 filters: say which with --filter 0 to 7"),
        (
            ["--layer", "CONV", "--filter", "0", "--at", "0"],
            2,
            "--at of CONV, which gives 32 x 32 x 8, must be ROW,COL in whole numbers; found '0'",
        ),
        (
            ["--layer", "CONV", "--filter", "0", "--at", "a,b"],
            2,
            "must be ROW,COL in whole numbers; found 'a,b'",
        ),
        (["--layer", "CONVV"], 2, "did you mean CONV"),
        (["--layer", "xyz"], 2, "has no layer 'xyz'; leave --layer out, and all are listed"),
        (["--layer", "CONV", "--layer", "logits"], 2, "several --layer are for --html"),
        (["--filter", "0"], 2, "--filter needs one --layer"),
        (["--gradient"], 2, "--gradient needs one --layer"),
        (["--layer", "CONV", "--weight", "0,0,0"], 2, "--weight needs --gradient"),
        (
            ["--layer", "CONV", "--gradient", "--filter", "0", "--true", "cat"],
            2,
            "it knows bar, disc",
        ),
        (["--layer", "CONV", "--gradient", "--filter", "0", "--weight", "9,0,0"], 2, "found 9,0,0"),
        (["--layer", "CONV", "--gradient"], 2, "say which with --filter"),
        (["--layer", "images", "--filter", "0"], 2, "nothing is computed"),
        (["--weights", "a.h5"], 2, "--weights needs --model. Say which network"),
        (
            ["--layer", "scaling", "--filter", "0", "--worksheet", "a.pdf"],
            2,
            "a worksheet needs a convolution",
        ),
        (
            ["--layer", "images", "--html", "a.html"],
            2,
            "the page cannot open this class of layer",
        ),
        (
            ["--layer", "CONV", "--filter", "0", "--at", "-1,2"],
            2,
            "row -1 is outside: take 0 to 31",
        ),
        (
            ["--layer", "CONV", "--filter", "disc"],
            2,
            "--filter of CONV must be a number; found 'disc'",
        ),
        (
            ["--layer", "logits", "--filter", "cat"],
            2,
            "must be a number or a class: bar, disc; found 'cat'",
        ),
        (
            ["--layer", "logits", "--filter", "0", "--at", "1,2"],
            2,
            "a row of numbers, not maps: leave --at out",
        ),
        (["--layer", "probabilities", "--filter", "7"], 2, "has no class 7: take 0 to 1"),
        (
            ["--layer", "CONV", "logits"],
            2,
            "left over: logits. Each further layer needs its own --layer",
        ),
        (["--png", "a.pdf"], 2, "--png writes a file that ends in .png; found a.pdf"),
        (["--html", "a.png"], 2, "--html writes a file that ends in .html or .htm"),
        (["--worksheet", "a.txt"], 2, "--worksheet writes a file that ends in .pdf"),
        (
            ["--layer", "CONV", "--filter", "0", "--gradient", "--html", "a.html"],
            2,
            "--gradient and --html exclude each other",
        ),
        (["--png", "/proc/none/a.png"], 9, "cannot be written"),
    ],
)
def test_mistakes_get_one_line_and_an_exit_code(trained, image, words, code, said, capsys, here):
    assert run("open", trained, image, *(word.replace("CONV", CONV) for word in words)) == code
    out, err = capsys.readouterr()
    assert said.replace("CONV", CONV) in err
    assert "Traceback" not in out + err
    assert len(err.strip().splitlines()) == 1


def test_images_and_runs_that_cannot_be_had(trained, image, capsys, here):
    (here / "bad.png").write_bytes(b"no image")
    (here / "empty").mkdir()
    (here / "empty" / "run.toml").write_text("")
    for words, code, said in (
        ((trained, here / "bad.png"), 3, "not an image"),
        ((trained, here / "none.png"), 3, "no such file"),
        ((here / "empty", image), 6, "there is no classifier file here"),
        ((here / "nowhere", image), 5, "a run is a folder"),
        ((trained,), 2, "say which image"),
        ((trained, here), 3, "found a folder"),
        (("--model", "efficientnet_lite0"), 2, "say which image"),
        ((trained, image, "--model", "efficientnet_lite0"), 2, "only the image is given"),
        ((image, "--model", "small_resnet"), 4, "has no trained weights"),
    ):
        assert run("open", *words) == code
        err = capsys.readouterr().err
        assert said in err
        assert len(err.strip().splitlines()) == 1
