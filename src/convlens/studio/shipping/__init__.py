"""Shipping: how a classifier leaves the studio, and how a whole workspace does."""
