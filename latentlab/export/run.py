"""Writes the folder of examples."""

from latentlab.console import show, track
from latentlab.data import CachedExamples, export, load_data, sound
from latentlab.data.folder import DATA_FILE
from latentlab.export.config import ExportConfig
from latentlab.study.asked import tell_left_out


def main(config: ExportConfig) -> None:
    """Write the folder."""
    data = CachedExamples(
        load_data(
            config.data, config.split, config.seed, config.limit, config.columns, config.strict
        )
    )
    examples, reasons = sound(data, config.strict, scored=False)
    tell_left_out(config.data, (*data.left_out, *reasons))
    export(track(examples, "exporting", unit="examples"), config.out)
    show(f"{len(examples)} examples are in {config.out / DATA_FILE}; use --data {config.out}")
