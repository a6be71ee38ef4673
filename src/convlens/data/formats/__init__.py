"""The formats in which a source can hold its images: npz, IDX, CSV tables, and named sets."""
