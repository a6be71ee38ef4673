"""Transfer learning: a new head on the features of a trained network, and its layers unfrozen."""
