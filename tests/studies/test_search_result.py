"""What a search says at its end."""

from types import SimpleNamespace

from convlens.evaluation.metrics import wilson
from convlens.studies.search_result import _describe_best, train_longer


def test_what_to_do_next_fits_the_images(tmp_path):
    settings = tmp_path / "run.toml"
    assert (
        train_longer("digits", settings) == f"convlens train digits --config {settings} --epochs 40"
    )
    assert train_longer(str(tmp_path), settings).startswith(f"convlens train {tmp_path} ")
    assert train_longer("3s and 5s of mnist5k", settings).startswith("convlens.train(dataset, ")


def test_an_accuracy_that_differs_from_the_one_in_training_is_explained():
    score = wilson(50, 200)
    same = _describe_best(SimpleNamespace(number=3, value=0.25), score)
    assert same == "\ntrial 3: 25.0 % [19.5, 31.4] of 200 validation images."
    other = _describe_best(SimpleNamespace(number=3, value=0.26), score)
    assert "in float32 as it is saved (26.0 % above: in bfloat16, while it trained)." in other
