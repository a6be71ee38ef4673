"""Main: `python -m convlens` runs the `convlens` command."""

from convlens.cli import main

main()
