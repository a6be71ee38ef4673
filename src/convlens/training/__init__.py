"""A single training: a network, its images, its optimizer, and the loop that can be resumed."""
