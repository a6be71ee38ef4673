"""`convlens demo`, with a network that trains in seconds."""

import numpy as np
import pytest
from PIL import Image

from convlens.cli import demo
from convlens.cli.starting import start_run
from convlens.data.sources import load_data
from convlens.run import Run
from tests.cli.commands import run


@pytest.mark.usefixtures("no_charts")
def test_it_trains_predicts_and_says_what_to_type_next(here, monkeypatch, capsys):
    def start_quickly(dataset, config, run):
        quick = config.replace(model="custom_cnn", filters=(4,), dense=(8,), limit=400)
        return start_run(dataset, quick.replace(epochs=1), run=run)

    monkeypatch.setattr(demo, "start_run", start_quickly)
    assert run("demo", "--run", "tried") == 0
    said = capsys.readouterr().out
    for words in ("convlens predict tried", "runs/tried/report.html", "convlens train YOUR_FOLDER"):
        assert words in said
    examples = sorted((here / "runs" / "tried" / "images").glob("*.png"))
    assert len(examples) == demo.SHOWN
    assert all(path.name in said for path in examples)
    digits = load_data("mnist5k")
    test = set(Run.open("tried").data["splits"]["test"])
    for path in examples:
        label, index, _ = path.name.split(".")
        assert int(index) in test
        assert digits.class_names[digits.labels[int(index)]] == label
        assert np.array_equal(np.asarray(Image.open(path)), np.asarray(digits.images[int(index)]))
