"""Runs `python -m latentlab.score`."""

import sys

from latentlab.commands import start

if __name__ == "__main__":
    sys.exit(start("score"))
