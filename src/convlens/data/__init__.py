"""Data: images with labels, from any source to decoded, checked, divided and batched arrays."""
