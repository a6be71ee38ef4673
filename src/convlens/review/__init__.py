"""After training: comparisons and doubts."""
