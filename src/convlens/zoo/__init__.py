"""Zoo: networks of the lectures and of papers, a configurable one and the default, by name."""
