"""Runs `python -m latentlab.export`."""

import sys

from latentlab.commands import start

if __name__ == "__main__":
    sys.exit(start("export"))
