"""Every number of a network opened: its arithmetic, forwards and backwards."""
