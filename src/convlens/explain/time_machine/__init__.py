"""The states of a network that a training has kept: what they say of an image and a weight."""
