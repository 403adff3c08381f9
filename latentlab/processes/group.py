"""The group that a process belongs to, and what its members do together.

All of them run the whole command and come to the same decisions, from the flags to the rows. Only
what is done batch by batch is divided (`divided`), and then each has the results of all, in the
order of a single process; so an instrument need not know how many there are. The first one alone
speaks and writes results, and the first to fail tells why.

What they hand each other is Python objects, so the group is one of gloo whatever they compute on.
PyTorch is imported where there are several processes, since `--help` has no use for it.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from latentlab import console
from latentlab.errors import UserError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE = timedelta(days=30)
"""How long a process waits for the others: a batch may take hours, and a lost one is noticed."""

MOST = 4
"""How many processes may share one CPU: more would be started, and none would get on."""

EXIT_AFTER_OTHER = 3
"""Exit code of a process that ends because another one did, which has told why."""


@dataclass(frozen=True)
class Group:
    """The processes of which this one is a member."""

    rank: int
    """The number of this one, from 0."""

    size: int
    """How many there are."""

    store: "Store"
    """What all of them can read and write."""


_group: Group | None = None


def count() -> int:
    """How many processes share the work."""
    return 1 if _group is None else _group.size


def check_count(wanted: int) -> None:
    """Refuse more processes than this machine can feed, before it is asked to start them.

    Raises:
        UserError: there are too many.
    """
    cpus = os.cpu_count() or 1
    if wanted > MOST * cpus:
        raise UserError(
            f"--processes {wanted} is too large: each holds all models, and this machine has "
            f"{cpus} CPUs; it is at most {MOST * cpus}"
        )


def is_main() -> bool:
    """Whether this process is the one that speaks and writes."""
    return _group is None or _group.rank == 0


def launched() -> int:
    """How many processes a launcher has started, this one among them; 1 without a launcher."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def local_rank() -> int:
    """The number of this process on its machine."""
    return int(os.environ.get("LOCAL_RANK", "0"))


def divided(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    description: str = "",
    total: int = 0,
    unit: str = "items",
    weight: Callable[[Item], int] = lambda item: 1,
) -> list[Result]:
    """Do something with every item, and have the results of all in the order of the items.

    Where there are several processes each takes every n-th item. All of them have to call this,
    with the same items.

    Args:
        items: what is worked through.
        work: what is done; it must not depend on what was done with other items. It may tell how
            much of an item is done (`console.advance`).
        description: what is being done, for the progress that is shown.
        total: how much there is to do, in units.
        unit: what is counted.
        weight: how many units an item is.
    """
    size, rank = count(), 0 if _group is None else _group.rank
    done, units = [], 0
    with console.progress(description, total, unit):
        for item in islice(items, rank, None, size):
            done.append(work(item))
            # What the others do meanwhile is about as much.
            units += weight(item) * size
            console.reach(units)
    if _group is None:
        return done
    shares = _exchanged(_group, done)
    return [shares[i % size][i // size] for i in range(sum(map(len, shares)))]


@contextmanager
def joined(meeting: str = "env://") -> Iterator[None]:
    """Belong to the group for a while; whatever a later member says meanwhile is not shown.

    Args:
        meeting: where the members meet, as `torch.distributed.rendezvous` takes it.

    Whatever fails is raised where it fails first, and elsewhere ends the process without a word.
    """
    global _group
    import torch.distributed as dist
    from torch.distributed.rendezvous import rendezvous

    store, rank, size = next(rendezvous(meeting))
    dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE)
    _group = Group(rank, size, store)
    console.hush(rank > 0)
    try:
        yield
    except Exception:
        if not _fails_first(_group):
            # At once, since taking down a group that has lost a member aborts.
            os._exit(EXIT_AFTER_OTHER)
        console.hush(False)
        raise
    finally:
        _group = None
    dist.destroy_process_group()


class _LostError(Exception):
    """Another process has ended; whoever started it tells why."""


def _exchanged(group: Group, own: list[Result]) -> list[list[Result]]:
    """The lists of all processes, in the order of their numbers."""
    import torch.distributed as dist

    from latentlab.processes.parcels import pack, unpack

    parcels: list[Any] = [None] * group.size
    try:
        dist.all_gather_object(parcels, pack(own))
    except RuntimeError as error:
        raise _LostError from error
    return [own if i == group.rank else unpack(parcel) for i, parcel in enumerate(parcels)]


def _fails_first(group: Group) -> bool:
    """Whether this process fails by itself and no other one has failed before."""
    if isinstance(sys.exception(), _LostError):
        return False
    try:
        return group.store.add("failed", 1) == 1
    except RuntimeError:  # the process that kept the store has ended
        return False
