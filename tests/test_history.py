"""The table of the epochs of a run."""

import pytest

from convlens.errors import RunError
from convlens.run import Run


def test_the_history_is_replaced_as_a_whole(tmp_path):
    run = Run.create(tmp_path / "run", "")
    row = dict.fromkeys(("loss", "accuracy", "learning_rate"), 0.5) | {"epoch": 1, "seconds": 2.0}
    run.write_history([row])
    run.write_history([row, row | {"epoch": 2}])
    assert [line["epoch"] for line in run.history] == [1, 2]
    assert run.history[0]["val_loss"] is None
    run.write_history([])
    assert run.history == []


def test_a_damaged_or_missing_table_is_named(tmp_path):
    run = Run.create(tmp_path / "run", "")
    with pytest.raises(RunError, match=r"history\.csv cannot be read; No such file"):
        _ = run.history
    heading = "epoch,seconds,loss,accuracy,val_loss,val_accuracy,learning_rate"
    (run.folder / "history.csv").write_text(f"{heading}\n1,0.5\n2,0.x\n")
    with pytest.raises(RunError, match=r"history\.csv cannot be read; its content is cut off"):
        _ = run.history
    (run.folder / "history.csv").write_bytes(bytes(100))
    with pytest.raises(RunError, match=r"history\.csv cannot be read; it has zeros in place of"):
        _ = run.history
    (run.folder / "history.csv").write_text(f"{heading}\n{'0.5,' * 8}\n")
    with pytest.raises(RunError, match=r"history\.csv cannot be read; "):
        _ = run.history
    for damaged in ("", heading.replace("epoch", "ep#ch")):
        (run.folder / "history.csv").write_text(f"{damaged}\n1,2,3,4,5,6,7\n")
        with pytest.raises(RunError, match=r"history\.csv .*; it lacks the columns .*epoch"):
            _ = run.history
