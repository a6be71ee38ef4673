"""Evaluation: scores with intervals, charts and the report, from plain labels, probabilities and pictures."""

__all__: list[str] = []
