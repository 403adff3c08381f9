"""The lens instrument: rows, tables and sentences put together."""

from pathlib import Path

from latentlab.console import warn
from latentlab.lens.config import LensConfig
from latentlab.lens.findings import conclusion, held_back, show_tables
from latentlab.lens.rows import prepare, rows_of
from latentlab.lens.summary import summary_of
from latentlab.study.instrument import Instrument
from latentlab.study.results import Results

READ = (
    "A lens shows what can be read off a state, and attribution what is added directly; neither "
    "shows that the answer would change. 95 % intervals."
)
"""How the numbers are to be read."""


def _closing(results: Results, out: Path) -> list[str]:
    for sentence in held_back(results.rows):
        warn(sentence)
    return [READ]


INSTRUMENT: Instrument[LensConfig, bool] = Instrument(
    name="lens",
    question="What do the latents say in the model's own words?",
    prepare=prepare,
    rows=rows_of,
    summary=summary_of,
    tables=lambda results: show_tables(results.summary),
    conclusion=lambda results: conclusion(results.summary),
    closing=_closing,
)

main = INSTRUMENT.main
