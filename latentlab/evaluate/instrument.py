"""The evaluation: rows, tables and sentences put together."""

from pathlib import Path

from latentlab.evaluate.asking import fitting
from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.findings import conclusion, show_tables
from latentlab.evaluate.predictions import write_predictions
from latentlab.evaluate.rows import rows_of
from latentlab.evaluate.summary import summary_of
from latentlab.evaluate.timing import with_times
from latentlab.methods import Method
from latentlab.study.instrument import Instrument
from latentlab.study.results import PREDICTIONS, Results


def _closing(results: Results, out: Path) -> list[str]:
    """Leave the replies behind, for scoring by other rules."""
    written = write_predictions(results.rows, out)
    if not written:
        return ["No question has choices and a known answer, so there is no reply to score."]
    return [f"{written} replies are in {out / PREDICTIONS}: python -m latentlab.score {out}"]


INSTRUMENT: Instrument[EvaluateConfig, tuple[Method, ...]] = Instrument(
    name="evaluate",
    question="How well does each model answer?",
    prepare=fitting,
    rows=rows_of,
    together=with_times,
    summary=summary_of,
    tables=lambda results: show_tables(results.summary),
    conclusion=lambda results: conclusion(results.summary, results.rows),
    closing=_closing,
)

main = INSTRUMENT.main
