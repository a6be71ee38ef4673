"""Data: labelled images, from any source to decoded, checked, split and batched arrays."""
