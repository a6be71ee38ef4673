"""Studio: a page in the browser of this computer, from images to a classifier one can trust.

It has no logic of its own: it calls what the commands call, and all it makes are ordinary folders.
"""
