"""What asks for more memory than there is ends in one line, whoever says that it has run out."""

import subprocess
import sys

import pytest
import torch

from latentlab.command import CommonConfig, run
from latentlab.errors import is_out_of_memory

ASKS = {
    "Python": lambda _: bytearray(2**50) and None,
    "torch": lambda _: torch.empty(2**50, dtype=torch.uint8) and None,
    "a batch": lambda config: torch.ones(config.batch_size, 2**20).sum() and None,
}


@pytest.mark.parametrize("who", ASKS)
def test_is_told_in_one_line(who, capsys):
    assert run(CommonConfig, ASKS[who], "evaluate", ["--batch-size", "100000"]) == 2
    assert capsys.readouterr().err == (
        "error: there is not enough memory for this; a smaller --batch-size takes less\n"
    )


def test_another_error_of_torch_keeps_its_traceback():
    with pytest.raises(RuntimeError, match="size of tensor"):
        run(CommonConfig, lambda _: torch.ones(2) + torch.ones(3) and None, "evaluate", [])
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
    assert not is_out_of_memory(ValueError("out of memory"))


# In a process of its own: one that has run others keeps memory that it could use again.
LIMITED = """
import resource, sys
from pathlib import Path
import latentlab.evaluate.instrument
from latentlab.commands import start
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
_, most = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (held + 2**28, most))
sys.exit(start("evaluate", sys.argv[1:]))
"""


def test_a_command_whose_batch_is_beyond_memory_says_so_and_leaves_nothing(tmp_path):
    flags = ("--limit", "3000", "--batch-size", "3000", "--max-new-tokens", "1", "--device", "cpu")
    command = [sys.executable, "-c", LIMITED, "--model", "ivtlr", *flags]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert told.returncode == 2 and "Traceback" not in told.stderr
    errors = [line for line in told.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and told.stderr.splitlines()[-1] == errors[0]
    assert "not enough memory" in errors[0]
    assert not [path for path in tmp_path.rglob("*") if path.name != "results"]
