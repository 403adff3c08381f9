"""Every instrument gives the rows of one process, in their order, when two share the batches."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
import torch

from latentlab.commands import COMMANDS
from latentlab.processes.spawn import spawn
from latentlab.study.instrument import instrument, instruments
from latentlab.study.results import read_results

LIMIT, BATCH = 7, 3
"""Three batches, the last of another size: one process has two of them and the other has one."""

FLAGS = {
    "ablate": {
        "drop": ("latent", "rationale"),
        "replace": ("mean", "noise", "other", "permute", "off_walk"),
        "mask_evidence": True,
        "select": ("random",),
        "noise_seeds": 2,
        "reference": 5,
        "model": ("ivtlr", "cot"),
        "answer": "free",
        "max_new_tokens": 4,
    },
    "evaluate": {"no_image": True, "max_new_tokens": 4},
    "mediation": {"reference": 5, "perturb": ("none", "noise"), "strength": (0.1,)},
    "interchange": {
        "donor": ("same_image", "counterfactual"),
        "steps": ("all",),
        "max_new_tokens": 2,
    },
    "attention": {"explicit": (), "vision": ("own", "random")},
    "probe": {"limit": 21, "shuffles": 1, "batch_size": 8},
    "patch": {"component": ("attn_out",), "knockout": ("answer-latent",)},
    "trace": {"reference": 21},
}


def run_all(zoo: Path, out: Path) -> None:
    """Run every instrument on the models of a folder; of its results only the rows count."""
    for name in instruments():
        flags = {"model": ("ivtlr",), "limit": LIMIT, "batch_size": BATCH, **FLAGS.get(name, {})}
        flags["model"] = tuple(str(zoo / model) for model in flags["model"])
        config = COMMANDS[name].config(out=out / name, **flags)
        replace(instrument(name), summary=lambda rows, seed: rows[["example"]]).run(config)


@pytest.fixture(scope="module")
def folders(untrained, tmp_path_factory):
    """Results of one process, and of two."""
    one, two = (tmp_path_factory.mktemp("rows") for _ in range(2))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as each of the two has
    try:
        run_all(untrained, one)
    finally:
        torch.set_num_threads(threads)
    spawn(2, partial(run_all, untrained, two))
    return one, two


@pytest.mark.slow
@pytest.mark.parametrize("name", instruments())
def test_rows_do_not_depend_on_how_many_processes_share_the_batches(folders, name):
    one, two = (read_results(folder / name) for folder in folders)
    timed = [column for column in one.rows if column in ("seconds", "times")]
    assert len(one.rows) >= LIMIT
    pd.testing.assert_frame_equal(
        one.rows.drop(columns=timed), two.rows.drop(columns=timed), check_exact=True
    )
    assert (one.run["processes"], two.run["processes"]) == (1, 2)
    assert one.run["config"] == {**two.run["config"], "out": one.run["config"]["out"]}
