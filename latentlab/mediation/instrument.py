"""The mediation instrument: parts, rows, tables and sentences put together."""

from latentlab.mediation.config import MediationConfig
from latentlab.mediation.findings import conclusion
from latentlab.mediation.mediators import PreparedMediation, prepare
from latentlab.mediation.rows import rows_of
from latentlab.mediation.summary import summary_of
from latentlab.mediation.tables import show_tables
from latentlab.study.instrument import Instrument

READ = (
    "Effects are on the log-odds of the answer that the undisturbed model prefers, in nats; "
    "shares are of means, with 95 % intervals over examples."
)
"""How the numbers are to be read."""

INSTRUMENT: Instrument[MediationConfig, PreparedMediation] = Instrument(
    name="mediation",
    question="How much of what the input does runs through the latents?",
    prepare=prepare,
    rows=rows_of,
    summary=summary_of,
    tables=lambda results: show_tables(results.summary),
    conclusion=lambda results: conclusion(results.summary),
    closing=lambda results, out: [READ],
    references=lambda config: config.reference,
)

main = INSTRUMENT.main
