"""Runs `python -m latentlab.compare`."""

import sys

from latentlab.commands import start

if __name__ == "__main__":
    sys.exit(start("compare"))
