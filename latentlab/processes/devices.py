"""What a command computes on: of several processes each takes a GPU of its own."""

from typing import TYPE_CHECKING

from latentlab.errors import UserError
from latentlab.processes import group as processes

if TYPE_CHECKING:
    import torch


def find_device(name: str) -> "torch.device":
    """The device that `--device` names, checked to be there.

    Args:
        name: `auto` for the first GPU if there is one and the CPU otherwise, or what
            `torch.device` takes. Of several processes each takes a GPU of its own.

    Raises:
        UserError: torch knows no such device, or this machine has none.
    """
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.partition(":")[0] == "meta":
        raise UserError(f"--device {name} computes nothing: try auto or cpu")
    try:
        if name == "cuda" and processes.count() > 1:
            torch.cuda.set_device(processes.local_rank() % torch.cuda.device_count())
        # Only an allocation shows that a device can be used: its name alone is always accepted.
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UserError(f"--device {name} cannot be used here: try auto or cpu") from error
