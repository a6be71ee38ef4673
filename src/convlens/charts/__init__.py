"""Every chart of convlens, with its style and its fonts.

Each function takes plain data and returns a matplotlib Figure. `convlens.plots` gathers the public
ones. There is no pyplot and no global state: a figure shows itself in a notebook, and `savefig`
writes it to a file.
"""
