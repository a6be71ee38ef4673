"""Calculations as pages: in the terminal, as a figure, as HTML and on paper."""
