"""`python -m convlens` is the `convlens` command."""

from convlens.cli import main

main()
