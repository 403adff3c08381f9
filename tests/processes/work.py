"""What processes do in the tests of how they work together: nothing that takes long to import."""

import os
import signal
import sys
import time
from dataclasses import dataclass

import torch

from latentlab import console
from latentlab.command import CommonConfig, run
from latentlab.errors import UserError
from latentlab.processes import group

__all__ = ["SleepConfig", "fail", "run", "sleep", "sys", "triple"]


def triple(folder) -> int:
    """Divide some numbers, and leave behind what this process has of them."""
    rank = int(os.environ["RANK"])
    made = group.divided(range(5), lambda i: (rank, torch.full((2,), 3.0 * i)))
    found = {"made": made, "main": group.is_main(), "threads": torch.get_num_threads()}
    torch.save(found, folder / f"{rank}.pt")
    console.show(f"said by {rank}")
    return 7 + rank


def fail(how: str) -> None:
    """Fail in the second process while the first waits for it."""

    def work(i: int) -> int:
        if i == 1 and how == "refuse":
            raise UserError("picture 1 cannot be read")
        if i == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return i

    group.divided(range(2), work)


@dataclass(frozen=True, kw_only=True)
class SleepConfig(CommonConfig):
    """Flags of a command that takes too long."""


def sleep(config: SleepConfig) -> None:
    """Say that it has begun, and never end."""
    console.show("begun")
    time.sleep(600)
