"""The attention instrument: modes, rows, tables and sentences put together."""

from latentlab.attention.config import AttentionConfig
from latentlab.attention.findings import conclusion
from latentlab.attention.modes import ModeRun, prepare
from latentlab.attention.readout_findings import readout, show_readout
from latentlab.attention.rows import rows_of
from latentlab.attention.summary import summary_of
from latentlab.attention.tables import show_tables
from latentlab.console import note_once
from latentlab.study.instrument import Instrument
from latentlab.study.results import Results

READ = (
    "Attention is a correlate: where a model looks is not what its answer needs "
    "(python -m latentlab.ablate takes it away)."
)
"""How the numbers are to be read."""


def _tables(results: Results) -> None:
    config = results.run["config"]
    if results.rows["cell_read"].isna().all():
        data = config["data"]
        note_once(f"{data} does not tell which patch has to be looked at, so pointing is left out")
    show_tables(results.summary, config["top"])
    show_readout(results.summary, by_layer=config["by"] != "mean")


def _conclusion(results: Results) -> list[str]:
    top = int(results.run["config"]["top"])
    return [*conclusion(results.summary, top), *readout(results.summary)]


def _beside(config: AttentionConfig) -> tuple[str, ...]:
    """Models to read in words; one that --model names as well is read once."""
    return tuple(name for name in config.explicit if name not in config.model)


INSTRUMENT: Instrument[AttentionConfig, list[ModeRun]] = Instrument(
    name="attention",
    question="Where does a model look?",
    prepare=prepare,
    rows=rows_of,
    summary=summary_of,
    tables=_tables,
    conclusion=_conclusion,
    closing=lambda results, out: [READ],
    beside=_beside,
)

main = INSTRUMENT.main
