"""A training that fits into a given time: measure, plan, choose, and keep to the deadline."""
