"""The five lessons: notebooks of the lectures' programs, and what their cells are given."""
