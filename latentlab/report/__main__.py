"""Runs `python -m latentlab.report`."""

import sys

from latentlab.commands import start

if __name__ == "__main__":
    sys.exit(start("report"))
