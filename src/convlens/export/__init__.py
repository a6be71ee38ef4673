"""Export: a classifier as a folder that works without convlens, with a proof that it does."""
