"""A process settled into long work: memory that it keeps, and rubbish that it looks for less often.

Studies allocate and free the same large tensors again and again. The C library gives each of them
back to the system, which has to clear the pages before it hands them out anew: a sixth of the time
of a study of small models. Python's collector walks all that the imports have left at every full
round: another twenty-fifth (docs/scaling.md). Neither changes a result.
"""

import ctypes
import gc
import sys

KEPT = 2**30
"""Bytes: larger blocks, and free memory beyond it, are given back to the system at once."""

STEP = 2**26
"""Bytes by which memory is asked for."""

# Parameters of `mallopt` (malloc.h of the GNU C library), the only one that has them.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3

_settled = False


def settle() -> None:
    """Settle this process, once; elsewhere than on Linux only the collector is."""
    global _settled
    if _settled:
        return
    _settled = True
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    if sys.platform == "linux":
        keep_memory()


def keep_memory() -> bool:
    """Let the C library keep what is freed; whether it knows how."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = ((_MMAP_THRESHOLD, KEPT), (_TRIM_THRESHOLD, KEPT), (_TOP_PAD, STEP))
    taken = [bool(mallopt(name, value)) for name, value in settings]
    return all(taken)
