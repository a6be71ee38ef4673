"""The structure of a Keras model: its graph, its layers in a table, and its stages."""
