"""The values and gradients of a trained network for one image, opened layer by layer."""
