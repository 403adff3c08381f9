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

ONE_HOP = "benchmark:hops=1"
"""What `bypass` and `filler` can answer."""


@dataclass(frozen=True, kw_only=True)
class CalibrateConfig(CommonConfig):
    """Flags of `python -m latentlab.calibrate`."""

    model: tuple[str, ...] = ("ivtlr",)
    """Models whose truth is unknown, read beside the organisms on the same questions."""

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

    from latentlab.checkpoint import find_checkpoint, load
    from latentlab.command import find_device
    from latentlab.console import note, show
    from latentlab.instruments.calibration.findings import conclusion, show_table
    from latentlab.instruments.calibration.gauges import gauges
    from latentlab.instruments.calibration.runs import Settings, run_instruments
    from latentlab.instruments.calibration.verdicts import BROKEN, ORGANISMS, rows_of, summary_of
    from latentlab.provenance import checkpoint_hash, provenance
    from latentlab.results import check_out, write_results

    started = datetime.now(UTC)
    out = config.folder("calibrate")
    check_out(out, config, "calibrate")
    device = str(find_device(config.device))
    names = [*ORGANISMS, *(name for name in config.model if name not in ORGANISMS)]
    folders = {name: find_checkpoint(name) for name in names}
    reasoners = [load(name, device) for name in names]
    for reasoner in reasoners:
        if not reasoner.plan.steps or reasoner.plan.in_words:
            raise UserError(f"{reasoner.name} takes no latent steps, so there is nothing to read")
    runs, data = {}, {}
    for i, reasoner in enumerate(reasoners):
        note(f"{reasoner.name}: model {i + 1} of {len(reasoners)}")
        asked = ONE_HOP if reasoner.name in ("bypass", "filler") else config.data
        settings = Settings(config.data, asked, config.limit, config.batch_size, config.seed)
        runs[reasoner.name] = run_instruments(reasoner, settings)
        data[reasoner.name] = asked
    rows = rows_of(gauges(), runs, data)
    summary = summary_of(rows, config.seed)
    hashes = {
        r.name: checkpoint_hash(folders[name]) for r, name in zip(reasoners, names, strict=True)
    }
    record = provenance(config, "calibrate", config.seed, hashes, started)
    write_results(out, rows, summary, record)
    show_table(summary)
    for sentence in conclusion(summary):
        show(sentence)
    show(f"Rows, summary and settings are in {out}.")
    return EXIT_BROKEN if (summary["verdict"] == BROKEN).any() else 0


if __name__ == "__main__":
    sys.exit(run(CalibrateConfig, main, "calibrate"))
