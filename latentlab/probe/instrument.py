"""The probe instrument: rows, tables and sentences put together."""

from pathlib import Path

from latentlab.probe.config import ProbeConfig
from latentlab.probe.findings import conclusion, show_tables
from latentlab.probe.rows import ProbeLabels, prepare, rows_of
from latentlab.probe.summary import summary_of
from latentlab.study.instrument import Instrument
from latentlab.study.results import Results


def _closing(results: Results, out: Path) -> list[str]:
    return [
        "Probes are linear and cross-validated, and shuffled labels are the mean of "
        f"{results.run['config']['shuffles']} shuffles. What probes can read a model need not use."
    ]


INSTRUMENT: Instrument[ProbeConfig, ProbeLabels] = Instrument(
    name="probe",
    question="What do the latents hold?",
    prepare=prepare,
    rows=rows_of,
    summary=summary_of,
    tables=lambda results: show_tables(results.summary),
    conclusion=lambda results: conclusion(results.summary),
    closing=_closing,
)

main = INSTRUMENT.main
