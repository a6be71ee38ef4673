"""ImageNet: the readable names of the 1,000 classes that trained weights predict, in order."""

from functools import cache
from importlib import resources


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the names of the classes of ILSVRC 2012, in the order of the 1,000 logits.

    All names are different.

    >>> imagenet_classes()[207]
    'Golden Retriever'
    """
    file = resources.files("convlens.zoo") / "imagenet_classes.txt"
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if not line.startswith("#"))
