"""Runs `python -m latentlab.check`."""

import sys

from latentlab.commands import start

if __name__ == "__main__":
    sys.exit(start("check"))
