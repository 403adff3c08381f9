"""A settled process keeps its memory and its results."""

import subprocess
import sys

import pytest

from latentlab import settled

SCRIPT = """
import gc, resource, sys
import torch
from latentlab.settled import settle

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        torch.zeros(12_000_000).add_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
faults()
before = faults()
settle()
threshold, frozen = gc.get_threshold(), gc.get_freeze_count()
settle()
assert gc.get_threshold() == threshold and gc.get_freeze_count() == frozen > 10_000
faults()
print(before, faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library is another one")
def test_memory_that_is_freed_is_not_cleared_anew():
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    before, after = map(int, told.stdout.split())
    # Fifty tensors of 11,700 pages each, or of 23 where the system gives out large ones.
    assert before >= 1000 and after < before / 10


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(settled.ctypes, "CDLL", lambda _: object())
    assert not settled.keep_memory()
