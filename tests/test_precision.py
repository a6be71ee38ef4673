"""The arithmetic that is chosen for a processor."""

from convlens import precision


def test_auto_precision_follows_the_processor(monkeypatch):
    monkeypatch.setattr(precision, "has_fast_bfloat16", lambda: True)
    assert precision.resolve_precision("auto") == "bfloat16"
    monkeypatch.setattr(precision, "has_fast_bfloat16", lambda: False)
    assert precision.resolve_precision("auto") == "float32"
    assert precision.resolve_precision("bfloat16") == "bfloat16"
