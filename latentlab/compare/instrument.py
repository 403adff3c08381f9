"""The comparison: rows, tables and sentences put together."""

from pathlib import Path

import pandas as pd

from latentlab.compare.claims import claims_of
from latentlab.compare.config import CompareConfig
from latentlab.compare.findings import conclusion, show_claims, show_pairs, show_ways
from latentlab.compare.pairs import pairs_of
from latentlab.compare.rows import WAY, prepare, rows_of, together
from latentlab.compare.summary import summary_of
from latentlab.compare.ways import WAYS, called
from latentlab.files import write_text
from latentlab.methods import Method
from latentlab.study.instrument import Instrument
from latentlab.study.results import CLAIMS, PAIRS, Results
from latentlab.wording import joined


def _tables(results: Results) -> None:
    show_ways(results.summary)
    show_pairs(pairs_of(results.rows))
    show_claims(_claims(results))


def _claims(results: Results) -> pd.DataFrame:
    return claims_of(results.rows, int(results.run["seed"]))


def _closing(results: Results, out: Path) -> list[str]:
    """Leave pairs and claims behind, and name the ways that were not compared."""
    for name, lines in ((PAIRS, pairs_of(results.rows)), (CLAIMS, _claims(results))):
        write_text(out / name, lines.to_csv(index=False, lineterminator="\n"))
    there = set(results.rows[WAY])
    lacking = [called(way) for way in WAYS if way not in there]
    said = [f"Differences by domain and hops are in {out / PAIRS}, claims in {out / CLAIMS}."]
    if lacking:
        said.append(f"Not among the ways: {joined(lacking)}; give models of theirs by --model.")
    return said


INSTRUMENT: Instrument[CompareConfig, tuple[Method, ...]] = Instrument(
    name="compare",
    question="Which way of reasoning buys how much accuracy at what cost?",
    prepare=prepare,
    rows=rows_of,
    together=together,
    summary=summary_of,
    tables=_tables,
    conclusion=lambda results: conclusion(results.summary, _claims(results)),
    closing=_closing,
)

main = INSTRUMENT.main
