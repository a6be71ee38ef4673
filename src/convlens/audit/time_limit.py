"""Time limit: how long the audit before a training may take."""

from convlens.data.prepared import Prepared

LONGEST = 30.0  # seconds
SHARE = 0.1  # of the first epoch
# Seconds in which the fastest network of the zoo, with which the least is trained, learns from a
# pixel of an image on two cores.
PIXEL = 1.2e-7
SHORTEST = 2.0  # seconds; compiling the first step alone takes several


def time_for(prepared: Prepared) -> float:
    """Return the seconds after which no further check begins."""
    height, width, _channels = prepared.preprocessing.shape
    epoch = PIXEL * height * width * len(prepared.splits.train)
    return min(LONGEST, max(SHORTEST, SHARE * epoch))
