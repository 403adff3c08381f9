"""The ablation instrument: parts, rows, tables and sentences put together."""

from pathlib import Path

import pandas as pd

from latentlab.ablate.applicable import Applicable
from latentlab.ablate.config import NECESSITY, AblateConfig
from latentlab.ablate.evidence_findings import (
    evidence_sentences,
    show_evidence,
    without_evidence,
)
from latentlab.ablate.findings import conclusion, held_back
from latentlab.ablate.materials import REFERRING
from latentlab.ablate.necessity import necessity
from latentlab.ablate.necessity_findings import necessity_clauses, show_necessity
from latentlab.ablate.rows import prepare, rows_of
from latentlab.ablate.tables import show_tables
from latentlab.console import warn
from latentlab.measures.outcomes import NONE
from latentlab.study.instrument import Instrument
from latentlab.study.results import Results


def _usual(results: Results) -> pd.DataFrame:
    """Lines for the usual table and sentences; none where nothing but evidence was touched."""
    lines = without_evidence(results)
    return lines if (lines["intervention"] != NONE).any() else lines.iloc[:0]


def _tables(results: Results) -> None:
    show_tables(_usual(results))
    show_necessity(necessity(results.rows))
    if results.run["config"]["mask_evidence"]:
        show_evidence(results.rows)


def _conclusion(results: Results) -> list[str]:
    return [
        *conclusion(_usual(results), necessity_clauses(necessity(results.rows))),
        *evidence_sentences(results.rows),
    ]


def _closing(results: Results, out: Path) -> list[str]:
    """How to read the numbers; writes --list-necessary."""
    config = results.run["config"]
    told = ["Knock-outs at inference, weights unchanged; differences are paired, 95 % intervals."]
    if config["answer"] == "at_once" and (results.rows["latent_steps"] > 0).any():
        for sentence in held_back(results.rows):
            warn(sentence)
        told.append("The answer had to follow the latent steps; with --answer free it need not.")
    if config["list_necessary"]:
        necessity(results.rows).to_csv(out / NECESSITY, index=False)
        told.append(
            f"Which answers are right only with what the slots hold is in {out / NECESSITY}."
        )
    return told


INSTRUMENT: Instrument[AblateConfig, Applicable] = Instrument(
    name="ablate",
    question="What is lost without the latents?",
    prepare=prepare,
    rows=rows_of,
    tables=_tables,
    conclusion=_conclusion,
    closing=_closing,
    references=lambda config: config.reference if REFERRING & set(config.replace) else 0,
)

main = INSTRUMENT.main
