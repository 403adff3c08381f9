"""The evaluation: rows, tables and sentences put together."""

from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.findings import conclusion, show_tables
from latentlab.evaluate.rows import rows_of
from latentlab.evaluate.summary import summary_of
from latentlab.study.instrument import Instrument

INSTRUMENT: Instrument[EvaluateConfig, bool] = Instrument(
    name="evaluate",
    question="How well does each model answer?",
    prepare=lambda config, subject: True,
    rows=rows_of,
    summary=summary_of,
    tables=lambda results: show_tables(results.summary),
    conclusion=lambda results: conclusion(results.summary, results.rows),
    closing=lambda results, out: [],
)

main = INSTRUMENT.main
