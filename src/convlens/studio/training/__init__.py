"""The room Train: what a training will be, the queue of trainings, and how far each of them is."""
