"""One training in several processes: which of them this is, who speaks, and what they share out.

accelerate or torchrun starts the processes; each runs the same code and reads the same files. The
first one alone writes, and the others wait for it where they are about to read what it wrote.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType, gather_object

from latentlab.console import remarks, results
from latentlab.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")


def join(device: torch.device) -> torch.device:
    """Meet the other processes, if there are any, and fall silent unless this is the first.

    Args:
        device: where the training is to compute.

    Returns:
        Where this process computes: one GPU each.
    """
    state = PartialState(cpu=device.type == "cpu")
    if state.num_processes == 1:
        return device
    results.quiet = remarks.quiet = not state.is_main_process
    own: torch.device = state.device
    return own


def is_first() -> bool:
    """Whether this is the process that writes."""
    first: bool = PartialState().is_main_process
    return first


def is_deepspeed() -> bool:
    """Whether the processes were started for DeepSpeed."""
    return bool(PartialState().distributed_type == DistributedType.DEEPSPEED)


def wait() -> None:
    """Go on when all processes have come here."""
    PartialState().wait_for_everyone()


def shared_out(work: Callable[[Sequence[Item]], Result], items: Sequence[Item]) -> list[Result]:
    """Do a piece of work on a share of the items in each process.

    Args:
        work: takes a run of consecutive items, never none.
        items: the same in all processes.

    Returns:
        What all processes made, in the order of the items.
    """
    state = PartialState()
    if state.num_processes == 1:
        return [work(items)]
    ends = [len(items) * n // state.num_processes for n in range(state.num_processes + 1)]
    share = range(ends[state.process_index], ends[state.process_index + 1])
    made = [work([items[place] for place in share])] if share else []
    gathered: list[Result] = gather_object(made)
    return gathered


@contextmanager
def aloud() -> Iterator[None]:
    """Let any process speak that finds a mistake which the others cannot see."""
    try:
        yield
    except UserError:
        remarks.quiet = False
        raise
