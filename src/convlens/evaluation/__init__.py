"""Evaluation: numbers only, from labels and probabilities to scores with their intervals."""
