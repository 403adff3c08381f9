"""The patching instrument: rows, tables and sentences put together."""

from pathlib import Path

from latentlab.data import readable
from latentlab.patch.config import PatchConfig
from latentlab.patch.findings import conclusion, show_tables
from latentlab.patch.pairs import rule_for
from latentlab.patch.rows import PreparedPatching, prepare, rows_of
from latentlab.patch.summary import summary_of
from latentlab.study.asked import load_recorded
from latentlab.study.instrument import Instrument
from latentlab.study.results import Results


def _closing(results: Results, out: Path) -> list[str]:
    config = results.run["config"]
    rule = rule_for(config["pair"], [next(readable(load_recorded(config)))])
    return [
        f"Pairs: {rule.replace('_', ' ')}. Recovery is the share of the logit difference between "
        "the two answers that a patch brings over, with 95 % intervals; erasing one answer without "
        "bringing the other gives about 50 %. Answers are read right after the latent steps."
    ]


INSTRUMENT: Instrument[PatchConfig, PreparedPatching] = Instrument(
    name="patch",
    question="Where in the model is the answer carried?",
    prepare=prepare,
    rows=rows_of,
    summary=summary_of,
    tables=lambda results: show_tables(results.summary),
    conclusion=lambda results: conclusion(results.summary),
    closing=_closing,
)

main = INSTRUMENT.main
