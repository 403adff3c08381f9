"""Runs `python -m latentlab.patch`."""

import sys

from latentlab.commands import start

if __name__ == "__main__":
    sys.exit(start("patch"))
