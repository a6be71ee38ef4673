"""Everything that predicts: the classifier, its file, and networks compiled for inference."""
