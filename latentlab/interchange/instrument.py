"""The interchange instrument: parts, rows, tables and sentences put together."""

from latentlab.interchange.config import InterchangeConfig
from latentlab.interchange.exchanges import Swap
from latentlab.interchange.findings import conclusion, show_tables
from latentlab.interchange.rows import prepare, rows_of
from latentlab.interchange.summary import summary_of
from latentlab.study.instrument import Instrument

READ = "Prompt, picture and options are the recipient's, weights unchanged; 95 % intervals."
"""How the numbers are to be read."""

INSTRUMENT: Instrument[InterchangeConfig, list[Swap]] = Instrument(
    name="interchange",
    question="Whose answer is given on another question's latents?",
    prepare=prepare,
    rows=rows_of,
    summary=summary_of,
    tables=lambda results: show_tables(results.summary),
    conclusion=lambda results: conclusion(results.summary),
    closing=lambda results, out: [READ],
)

main = INSTRUMENT.main
