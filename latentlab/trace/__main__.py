"""Runs `python -m latentlab.trace`."""

import sys

from latentlab.commands import start

if __name__ == "__main__":
    sys.exit(start("trace"))
