"""Question: what is asked of each image that is explained."""

from dataclasses import dataclass

NEIGHBOURS = 3  # training images that are named


@dataclass(frozen=True)
class Question:
    """What is asked of each image.

    Attributes:
        label: The class to explain; None for the predicted one.
        against: The class against which it is explained; None for none.
        methods: The methods of the maps; None for the best one that the network has.
        neighbours: How many of the nearest training images are named.
    """

    label: str | None = None
    against: str | None = None
    methods: tuple[str, ...] | None = None
    neighbours: int = NEIGHBOURS
