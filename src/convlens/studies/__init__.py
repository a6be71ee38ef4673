"""Several trainings behind one question: cross-validation, few images, search, comparison."""
