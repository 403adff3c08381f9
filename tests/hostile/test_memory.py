"""What asks for more memory than there is ends in one line, whoever says that it has run out."""

import resource
from pathlib import Path

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


def test_a_command_whose_batch_is_beyond_memory_says_so_and_leaves_nothing(outcome, tmp_path):
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (held + 2**28, most))
    flags = ("--limit", "3000", "--batch-size", "3000", "--max-new-tokens", "1", "--device", "cpu")
    line, _ = outcome("evaluate", "--model", "ivtlr", *flags)
    assert "not enough memory" in line
    assert not list(tmp_path.iterdir())
