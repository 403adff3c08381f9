"""Read the organisms that were trained from several seeds, and keep what was read.

    python -m latentlab.organisms ivtlr relay gaze bypass --seed 1
    python -m latentlab.organisms ivtlr relay gaze bypass --seed 2
    python experiments/_retrained.py runs/organisms

Weights of further seeds do not come with the package; what the instruments read on them does. This
writes `data/seeds.csv` (test accuracies) and `data/seed_readings.parquet` (one row per reading,
training and question, as `latentlab.calibrate` has them). `seeds.py` shows the first.
"""

import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd

from latentlab.calibrate.config import CalibrateConfig
from latentlab.calibrate.run import main as calibrate
from latentlab.calibrate.subjects import retrained
from latentlab.checkpoint import load, zoo_names
from latentlab.data import load_data
from latentlab.evaluate.summary import summary_of
from latentlab.study.by_method import run_own
from latentlab.study.results import read_results

DATA = Path(__file__).parent / "data"

ASKED = "benchmark:hops=1+4"
"""A thousand questions of each kind, of the test split."""

COLUMNS = ["model", "training_seed", "hops", "domain", "n"]
VALUES = ["accuracy", "accuracy_low", "accuracy_high"]


def accuracies(name: str, model: str, seed: int | None) -> pd.DataFrame:
    """Test accuracy of one training, by hops and domain."""
    reasoner = load(name)
    reasoner.name = model
    rows = run_own(reasoner, load_data(ASKED, limit=2000), ASKED, 100)
    lines = summary_of(rows)
    of_hops = lines[(lines["hops"] != "all") & (lines["topic"] == "all")]
    return of_hops.assign(training_seed=seed)[[*COLUMNS, *VALUES]]


def read(folder: Path, limit: int = 300) -> None:
    """Read everything below a folder of trainings."""
    folders = sorted(folder.glob("*-s[1-9]*/final"))
    trainings = [retrained(str(path), path) for path in folders]
    trainings = [training for training in trainings if training.model != "base"]
    lines = [accuracies(name, name, 0) for name in zoo_names()]
    lines += [accuracies(t.name, t.model, t.training_seed) for t in trainings]
    pd.concat(lines).to_csv(DATA / "seeds.csv", index=False)
    kept = ("relay", "gaze", "bypass", "ivtlr")
    names = tuple(training.name for training in trainings if training.model in kept)
    config = CalibrateConfig(retrained=names, limit=limit, batch_size=100)
    out = Path("results") / "seed-readings"
    calibrate(replace(config, out=out))
    rows = read_results(out).rows
    rows = rows[rows["model"].isin(kept)].drop(columns="link")
    rows.to_parquet(DATA / "seed_readings.parquet", index=False, compression="zstd")


if __name__ == "__main__":
    read(Path(sys.argv[1]))
