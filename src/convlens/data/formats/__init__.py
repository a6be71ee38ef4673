"""Formats: what a source can be: folders, CSV tables, NPZ and IDX files, and named data sets."""
