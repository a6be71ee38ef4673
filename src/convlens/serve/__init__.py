"""Serve: an exported folder behind HTTP, for programs in any language."""
