"""The gate: what is wrong with a set of images before, and what is doubtful after a training."""
