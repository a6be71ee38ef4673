"""The lessons, as notebooks: the lectures' programs and heat maps; and what cells are given."""
