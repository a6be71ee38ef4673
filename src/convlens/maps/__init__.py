"""Maps: the arithmetic of explanations that are drawn over an image, and the checks of each."""
