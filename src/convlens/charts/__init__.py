"""Every figure of convlens, its style and its fonts.

A function here takes plain data and returns a matplotlib figure; `convlens.plots` gathers the public ones.
"""
