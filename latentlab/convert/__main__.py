"""Runs `python -m latentlab.convert`."""

import sys

from latentlab.commands import start

if __name__ == "__main__":
    sys.exit(start("convert"))
