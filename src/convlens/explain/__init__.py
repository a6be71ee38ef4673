"""Explanations of a network: its arithmetic, forwards and backwards, with every number shown."""
