"""Writes the folder of examples."""

from latentlab.console import show, track
from latentlab.data import export, load_data
from latentlab.data.folder import DATA_FILE
from latentlab.export.config import ExportConfig


def main(config: ExportConfig) -> None:
    """Write the folder."""
    examples = load_data(config.data, seed=config.seed, limit=config.limit)
    export(track(examples, "exporting"), config.out)
    show(f"{len(examples)} examples are in {config.out / DATA_FILE}; use --data {config.out}")
