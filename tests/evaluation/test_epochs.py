"""How many epochs were enough."""

from convlens.evaluation.epochs import judge_epochs
from convlens.evaluation.metrics import wilson


def rows(accuracies, val_losses=None, losses=None):
    val_losses = val_losses or [1 - a for a in accuracies]
    losses = losses or [1 / (e + 1) for e in range(len(accuracies))]
    return [
        {"epoch": e, "val_accuracy": a, "val_loss": v, "loss": t}
        for e, (a, v, t) in enumerate(zip(accuracies, val_losses, losses, strict=True), 1)
    ]


def test_first_epoch_inside_the_interval():
    history = rows([0.5, 0.7, 0.8, 0.82, 0.81, 0.81, 0.81, 0.81])
    assert wilson(820, 1000).low > 0.7  # epoch 2 is surely worse, 3 is not
    assert wilson(820, 1000).low < 0.8
    assert "Best after epoch 4 of 8 (82.0 %); from epoch 3 on" in judge_epochs(history, 1000)
    assert "from epoch 2 on" in judge_epochs(history, 20)  # few images, wide interval


def test_still_rising():
    assert judge_epochs(rows([0.1, 0.3, 0.5, 0.7]), 1000).endswith(
        "still rising: more epochs may help."
    )


def test_overfitting_needs_both_losses():
    accuracies, rising = [0.8, 0.9, 0.9, 0.9], [0.5, 0.3, 0.4, 0.5]
    assert "after epoch 2 while the training loss falls" in judge_epochs(
        rows(accuracies, rising), 500
    )
    flat = rows(accuracies, rising, losses=[0.5, 0.3, 0.4, 0.5])
    assert "overfitting" not in judge_epochs(flat, 500)
    assert "overfitting" not in judge_epochs(rows(accuracies, [0.5, 0.3, 0.31, 0.32]), 500)


def test_nothing_to_say():
    assert judge_epochs([], 100) == ""
    assert judge_epochs(rows([0.5]), 100) == ""
    assert (
        judge_epochs([{"epoch": 1, "val_accuracy": None}, {"epoch": 2, "val_accuracy": None}], 100)
        == ""
    )
    assert judge_epochs(rows([0.5, 0.6]), 0) == ""


def test_of_equal_epochs_the_one_with_the_least_loss_is_best():
    said = judge_epochs(rows([0.5, 0.9, 0.9, 0.9, 0.8], [1, 0.4, 0.3, 0.2, 0.5]), 1000)
    assert "Best after epoch 4 of 5" in said
    assert "3 epochs reached 90.0 %; the best of them is the one with the lowest" in said
    assert "epochs reached" not in judge_epochs(rows([0.5, 0.9, 0.8]), 1000)


def test_an_accuracy_that_was_reached_before_is_not_still_rising():
    said = judge_epochs(rows([0.5, 0.9, 0.6, 0.9], [1, 0.4, 0.3, 0.2]), 1000)
    assert "still rising" not in said
    assert "2 epochs reached 90.0 %" in said


def test_more_epochs_do_not_help_where_every_image_is_right():
    said = judge_epochs(rows([0.5, 0.7, 0.8, 1.0]), 1000)
    assert said.startswith("Best after epoch 4 of 4 (100.0 %)")
    assert "more epochs may help" not in said
    assert "more epochs may help" not in judge_epochs(rows([0.5, 1.0, 1.0, 1.0]), 20)


def test_epochs_that_leave_the_interval_again_were_not_enough():
    history = rows([0.50, 0.83, 0.58, 0.80, 0.83, 0.62, 0.79, 0.80])
    assert "from epoch 7 on the validation accuracy is inside" in judge_epochs(history, 240)
    history = rows([0.50, 0.83, 0.80, 0.60])
    said = judge_epochs(history, 240)
    assert said.startswith("Best after epoch 2 of 4 (83.0 %); the validation accuracy of the last")
