"""Numbers only: from labels and predicted probabilities to scores with their intervals."""
