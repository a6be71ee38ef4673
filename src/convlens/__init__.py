"""convlens."""
