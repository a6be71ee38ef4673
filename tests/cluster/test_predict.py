"""`convlens predict --cluster` prints what `convlens predict` prints, byte for byte."""

import pytest

from tests.cli.commands import run


@pytest.mark.parametrize("engine", ["keras", pytest.param("openvino", marks=pytest.mark.slow)])
def test_the_same_is_printed(connected, photos, classifier, engine, tmp_path, capsys):
    words = ("predict", classifier, photos, "--format", "json", "--engine", engine)
    assert run(*words) == 3
    alone = capsys.readouterr()
    on_cluster = ("--cluster", connected, "--answers", tmp_path)
    assert run(*words, *on_cluster) == 3
    asked = capsys.readouterr()
    assert asked.out == alone.out
    assert asked.err.endswith(alone.err)  # after the line that names the size of the cluster
    assert "300.png" in alone.err

    words = ("predict", classifier, photos, "--engine", engine)
    run(*words, "--format", "csv")
    alone = capsys.readouterr()
    (tmp_path / "list.csv").write_text(
        "image\n" + "".join(f"{path}\n" for path in sorted(photos.iterdir())), encoding="utf-8"
    )
    words = ("predict", classifier, tmp_path / "list.csv", "--engine", engine, "--format", "csv")
    assert run(*words, *on_cluster) == 3
    again = capsys.readouterr()
    assert again.out == alone.out
    assert "400 of 400 images were answered before" in again.err


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["photos", "--cluster", "local"], "--cluster needs --answers"),
        (["photos", "--answers", "answers"], "--answers needs --cluster"),
        (
            ["-", "--cluster", "local", "--answers", "answers"],
            "the standard input is not shared out",
        ),
    ],
)
def test_what_a_cluster_is_asked_must_be_whole(classifier, words, rule, capsys):
    assert run("predict", classifier, *words) == 2
    assert rule in capsys.readouterr().err
