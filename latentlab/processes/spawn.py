"""Processes on this machine, started without a launcher and seen to their end."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import torch
from torch.multiprocessing.spawn import ProcessContext, ProcessExitedException, log, start_processes

from latentlab import console
from latentlab.errors import UserError, is_out_of_memory
from latentlab.processes.group import EXIT_AFTER_OTHER, is_main, joined

GRACE = 5.0
"""Seconds for the others to end by themselves when one has failed."""

Work = Callable[[], int | None]
"""What every process does; what it returns, if anything, is the exit code. It can be pickled."""


def spawn(size: int, work: Work) -> None:
    """Let several processes do some work together, and see them to their end.

    Raises:
        UserError: one of them was killed.
        KeyboardInterrupt: one of them was interrupted.
        SystemExit: the first of them returned an exit code, or one failed and has told why.
    """
    log.setLevel("ERROR")  # that it ends the others is nothing to warn of
    with TemporaryDirectory() as folder, threads_divided(size):
        arguments = (size, f"file://{folder}/meeting", work)
        group: ProcessContext = start_processes(  # type: ignore[no-untyped-call]
            _member, arguments, size, join=False, daemon=True
        )
        try:
            while not group.join(grace_period=GRACE):
                pass
        except ProcessExitedException:
            _raise_for([process.exitcode for process in group.processes])
        finally:
            for process in group.processes:
                process.kill()


def _member(rank: int, size: int, meeting: str, work: Work) -> None:
    """What a spawned process does."""
    # Ctrl-C and the end of the parent, which tells of either, end a process without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ |= {"WORLD_SIZE": str(size), "RANK": str(rank), "LOCAL_RANK": str(rank)}
    try:
        with joined(f"{meeting}?rank={rank}&world_size={size}"):
            code = work() or 0
            code = code if is_main() else 0
    except UserError as error:
        console.fail(str(error))
        code = 2
    except Exception as error:
        if is_out_of_memory(error):
            console.fail("there is not enough memory: each process holds all models; try fewer")
            code = 2
        else:  # a bug of ours keeps its traceback
            sys.excepthook(*sys.exc_info())
            code = 1
    sys.exit(code)


def _raise_for(codes: Sequence[int]) -> None:
    """Raise what became of processes that ended with these codes, some of them not 0."""
    if -signal.SIGINT in codes:  # Ctrl-C reaches all at once, and this process perhaps last
        raise KeyboardInterrupt
    told = [code for code in codes if code > 0 and code != EXIT_AFTER_OTHER]
    # Those that were ended for the sake of another one have got SIGTERM.
    killed = sorted((code for code in codes if code < 0), key=lambda code: code == -signal.SIGTERM)
    if told or not killed:
        sys.exit(told[0] if told else EXIT_AFTER_OTHER)
    which, name = codes.index(killed[0]) + 1, signal.Signals(-killed[0]).name
    raise UserError(
        f"process {which} of {len(codes)} was killed ({name}), perhaps for want of memory: each "
        "holds all models, so try fewer --processes, fewer models or a smaller --batch-size"
    )


@contextmanager
def threads_divided(size: int) -> Iterator[None]:
    """Give processes that are started meanwhile an equal share of this one's threads."""
    name = "OMP_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = str(max(1, torch.get_num_threads() // size))
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before
