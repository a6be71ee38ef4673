"""Main: `python -m convlens` runs the `convlens` command."""

from convlens.cli import run_process

run_process()
