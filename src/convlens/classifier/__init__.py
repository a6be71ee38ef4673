"""Everything that predicts: a classifier, its file, and the compiled networks that answer."""
