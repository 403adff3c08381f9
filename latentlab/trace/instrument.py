"""The recorder of single answers: rows, lines and sentences put together."""

from latentlab.ablate.config import REFERENCE
from latentlab.study.instrument import Instrument
from latentlab.trace.config import TraceConfig
from latentlab.trace.findings import conclusion, summary_of
from latentlab.trace.rows import Prepared, prepare, rows_of

READ = (
    "Knock-outs at inference, weights unchanged; 95 % intervals. Probes are linear. "
    "python -m latentlab.report shows the answers."
)
"""How the numbers are to be read."""

INSTRUMENT: Instrument[TraceConfig, Prepared] = Instrument(
    name="trace",
    question="Which answers were recorded?",
    prepare=prepare,
    rows=rows_of,
    summary=summary_of,
    tables=lambda results: None,  # single answers are for the viewer
    conclusion=lambda results: conclusion(results.summary),
    closing=lambda results, out: [READ],
    references=lambda config: REFERENCE,
)

main = INSTRUMENT.main
