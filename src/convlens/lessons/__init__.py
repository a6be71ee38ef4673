"""The lessons: notebooks of the lectures' programs and one on heat maps, and what cells are given."""
