"""Reads every instrument on every organism and says which are to be trusted."""

from pathlib import Path

import pandas as pd

from latentlab.calibrate.config import EXIT_BROKEN, CalibrateConfig
from latentlab.calibrate.findings import conclusion, show_table
from latentlab.calibrate.gauges import gauges
from latentlab.calibrate.runs import Settings, run_instruments
from latentlab.calibrate.subjects import (
    ORGANISMS,
    check_distinct,
    retrained,
    subject,
)
from latentlab.calibrate.verdicts import BROKEN, rows_of, summary_of
from latentlab.checkpoint import find_checkpoint
from latentlab.console import note, show
from latentlab.errors import UserError
from latentlab.processes.devices import find_device
from latentlab.study.models import load_models
from latentlab.study.progress import kept, state_of
from latentlab.study.provenance import Start, checkpoint_hash, provenance
from latentlab.study.results import claimed, write_results


def main(config: CalibrateConfig) -> int:
    """Read every instrument on every organism and say which are to be trusted.

    Returns:
        0, or 1 where an instrument is broken.
    """
    out = config.folder("calibrate")
    with claimed(out, config, "calibrate"):
        return _calibrated(config, out)


def _calibrated(config: CalibrateConfig, out: Path) -> int:
    """The same, in a folder that this run has to itself."""
    started = Start()
    device = str(find_device(config.device))
    names = [*ORGANISMS, *(name for name in config.model if name not in ORGANISMS)]
    folders = {name: find_checkpoint(name) for name in (*names, *config.retrained)}
    subjects = [
        *(subject(name, folders[name]) for name in names),
        *(retrained(name, folders[name]) for name in config.retrained),
    ]
    check_distinct(subjects)
    added = [name for name in config.model if name not in ORGANISMS]
    if config.plan and not added:
        raise UserError("--plan: the organisms keep their plans; name another model to read by it")
    beside = (*ORGANISMS, *config.retrained)
    loaded = dict(zip((*added, *beside), load_models(config, device, beside, added), strict=True))
    reasoners = [loaded[subject.name] for subject in subjects]
    for reasoner in reasoners:
        if not reasoner.plan.steps or reasoner.plan.in_words:
            raise UserError(f"{reasoner.name} takes no latent steps, so there is nothing to read")
    hashes = {name: checkpoint_hash(folder) for name, folder in folders.items()}
    # Questions are the benchmark's, which the settings and the code determine.
    with kept(out, state_of(config, "calibrate", hashes)):
        read_off = []
        for i, (read, reasoner) in enumerate(zip(subjects, reasoners, strict=True), 1):
            reasoner.name = read.model
            note(f"{read.model}: model {i} of {len(subjects)}")
            asked = read.data(config.data)
            settings = Settings(config.data, asked, config.limit, config.batch_size, config.seed)
            read_off.append(rows_of(gauges(), run_instruments(reasoner, settings), read, asked))
        rows = pd.concat(read_off, ignore_index=True)
        summary = summary_of(rows, config.seed)
        plans = {name: reasoner.plan.to_dict() for name, reasoner in loaded.items()}
        record = provenance(config, "calibrate", config.seed, hashes, started, plans)
        write_results(out, rows, summary, record)
    show_table(summary)
    for sentence in conclusion(summary):
        show(sentence)
    show(f"Rows, summary and settings are in {out}.")
    return EXIT_BROKEN if (summary["verdict"] == BROKEN).any() else 0
