"""Checks models and says what holds of each."""

import pandas as pd

from latentlab.check.checks import HOLDS, check
from latentlab.check.config import EXIT_DIFFERS, CheckConfig
from latentlab.check.findings import conclusion, show_table
from latentlab.check.material import PLAN
from latentlab.checkpoint import find_checkpoint, load, quiet
from latentlab.console import note, show
from latentlab.processes.devices import find_device
from latentlab.study.provenance import Start, checkpoint_hash, provenance
from latentlab.study.results import claimed, write_results


def main(config: CheckConfig) -> int:
    """Run the checks on every model.

    Returns:
        0, or 1 where something does not hold.
    """
    with claimed(config.out, config, "check"):
        return _checked(config)


def _checked(config: CheckConfig) -> int:
    """The same, in a folder that this run has to itself."""
    started = Start()
    device = str(find_device(config.device))
    folders = {name: find_checkpoint(name) for name in config.model}
    found = []
    for i, name in enumerate(config.model, 1):
        note(f"{name}: model {i} of {len(config.model)}")
        reasoner = load(name, device, plan=PLAN)
        with quiet():
            found.append(check(reasoner, config.only, config.seed).assign(model=name))
    rows = pd.concat(found, ignore_index=True)
    hashes = {name: checkpoint_hash(folder) for name, folder in folders.items()}
    record = provenance(config, "check", config.seed, hashes, started)
    write_results(config.out, rows, rows.drop(columns="reason"), record)
    show_table(rows)
    for sentence in conclusion(rows):
        show(sentence)
    show(f"Rows, summary and settings are in {config.out}.")
    return 0 if (rows["verdict"] == HOLDS).all() else EXIT_DIFFERS
