"""Runs `python -m latentlab.probe`."""

import sys

from latentlab.commands import start

if __name__ == "__main__":
    sys.exit(start("probe"))
