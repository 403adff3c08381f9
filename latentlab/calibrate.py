"""Calibrate the instruments: does each tell models apart whose truth is known by construction?

    python -m latentlab.calibrate
    python -m latentlab.calibrate --model path/to/checkpoint

Every instrument is pointed at organisms whose latents are necessary (`relay`: latent text, `gaze`:
latent vision), at organisms whose latents cannot matter (`bypass`: content without effect,
`filler`: no content), and then at models whose truth is not known. One that cannot tell a positive
from a negative control is reported as broken, and the command ends with exit code 1
(docs/calibration.md).
"""

import sys
from dataclasses import dataclass

from latentlab.command import CommonConfig, run
from latentlab.errors import UserError

EXIT_BROKEN = 1


@dataclass(frozen=True, kw_only=True)
class CalibrateConfig(CommonConfig):
    """Flags of `python -m latentlab.calibrate`."""

    model: tuple[str, ...] = ("ivtlr",)
    """Models whose truth is unknown, read beside the organisms on the same questions."""

    retrained: tuple[str, ...] = ()
    """Folders of further trainings of organisms or of these models, from other seeds; each is read
    as the model it is a training of."""

    limit: int = 100
    """Number of examples at most."""

    def __post_init__(self) -> None:
        """Refuse data without traces: the organisms answer the diagnostic benchmark alone."""
        super().__post_init__()
        if self.data.partition(":")[0] != "benchmark":
            raise UserError(
                f"--data {self.data}: instruments are calibrated on the diagnostic benchmark, the "
                "only one whose truth is known; leave --data out, or give benchmark with options"
            )


def main(config: CalibrateConfig) -> int:
    """Read every instrument on every organism and say which are to be trusted.

    Returns:
        0, or 1 where an instrument is broken.
    """
    from datetime import UTC, datetime

    import pandas as pd

    from latentlab.checkpoint import find_checkpoint, load
    from latentlab.command import find_device
    from latentlab.console import note, show
    from latentlab.instruments.calibration.findings import conclusion, show_table
    from latentlab.instruments.calibration.gauges import gauges
    from latentlab.instruments.calibration.runs import Settings, run_instruments
    from latentlab.instruments.calibration.subjects import (
        ORGANISMS,
        check_distinct,
        retrained,
        subject,
    )
    from latentlab.instruments.calibration.verdicts import BROKEN, rows_of, summary_of
    from latentlab.provenance import checkpoint_hash, provenance
    from latentlab.results import check_out, write_results

    started = datetime.now(UTC)
    out = config.folder("calibrate")
    check_out(out, config, "calibrate")
    device = str(find_device(config.device))
    names = [*ORGANISMS, *(name for name in config.model if name not in ORGANISMS)]
    folders = {name: find_checkpoint(name) for name in (*names, *config.retrained)}
    subjects = [
        *(subject(name, folders[name]) for name in names),
        *(retrained(name, folders[name]) for name in config.retrained),
    ]
    check_distinct(subjects)
    reasoners = [load(subject.name, device) for subject in subjects]
    for reasoner in reasoners:
        if not reasoner.plan.steps or reasoner.plan.in_words:
            raise UserError(f"{reasoner.name} takes no latent steps, so there is nothing to read")
    read_off = []
    for i, (read, reasoner) in enumerate(zip(subjects, reasoners, strict=True), 1):
        reasoner.name = read.model
        note(f"{read.model}: model {i} of {len(subjects)}")
        asked = read.data(config.data)
        settings = Settings(config.data, asked, config.limit, config.batch_size, config.seed)
        read_off.append(rows_of(gauges(), run_instruments(reasoner, settings), read, asked))
    rows = pd.concat(read_off, ignore_index=True)
    summary = summary_of(rows, config.seed)
    hashes = {name: checkpoint_hash(folder) for name, folder in folders.items()}
    record = provenance(config, "calibrate", config.seed, hashes, started)
    write_results(out, rows, summary, record)
    show_table(summary)
    for sentence in conclusion(summary):
        show(sentence)
    show(f"Rows, summary and settings are in {out}.")
    return EXIT_BROKEN if (summary["verdict"] == BROKEN).any() else 0


if __name__ == "__main__":
    sys.exit(run(CalibrateConfig, main, "calibrate"))
