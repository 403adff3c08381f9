"""Ask every training of the compared ways the same questions, and keep what was answered.

    python -m latentlab.organisms no_cot cot ccot --seed 1
    python experiments/_compared_seeds.py runs/organisms

Weights of further seeds do not come with the package; their answers do. The embedded twins count as
trainings from seed 0. This writes `data/compared_seeds.parquet` (one row per question and training)
and `data/compared_curves.csv` (held-out accuracy after each stage of each training). Trainings that
are there already are not asked again. `compared.py`, `cost.py` and `curves.py` show them.
"""

import re
import sys
from pathlib import Path

import pandas as pd

from latentlab.checkpoint import FINAL, ZOO, load
from latentlab.compare.ways import EMBEDDED, TWINS, way_of
from latentlab.console import note
from latentlab.data import load_data
from latentlab.figures.trained import held_out
from latentlab.methods.own import METHOD as OWN
from latentlab.study.by_method import own_method, run_by
from latentlab.training.metrics import METRICS_FILE
from latentlab.vocabulary import OWN_WAY

DATA = Path(__file__).parent / "data"

ROWS, CURVES = "compared_seeds.parquet", "compared_curves.csv"

ASKED, LIMIT = "benchmark:hops=1+4", 1000
"""What every training is asked: of the test split, half of one hop and half of four."""

TRAINING = ["way", "training_seed"]
COLUMNS = ["example", "domain", "hops", "cluster", "correct", "correct_likelihood"]
COLUMNS += ["autoregressive_steps", "forward_tokens"]


def trainings(folder: Path) -> dict[tuple[str, int], Path]:
    """The finished trainings below a folder and those that are embedded, by way and seed."""
    found = {(way_of(name, OWN_WAY), 0): ZOO / name for name in EMBEDDED}
    for path in sorted(folder.glob(f"*/{FINAL}")):
        match = re.fullmatch(r"(\w+)-s(\d+)", path.parent.name)
        if match and match[1] in TWINS and (path / "config.json").is_file():
            found[way_of(match[1], OWN_WAY), int(match[2])] = path
    return found


def answers(way: str, seed: int, folder: Path) -> pd.DataFrame:
    """What one training answers."""
    reasoner = load(str(folder))
    method = own_method(reasoner) or OWN
    rows = run_by(reasoner, method, load_data(ASKED, limit=LIMIT), ASKED, 100)
    return rows[COLUMNS].assign(way=way, training_seed=seed)[[*TRAINING, *COLUMNS]]


def curve(way: str, seed: int, folder: Path) -> pd.DataFrame:
    """Held-out accuracy after each stage of one training."""
    log = folder / METRICS_FILE if folder.parent == ZOO else folder.parent / METRICS_FILE
    return held_out(log).assign(way=way, training_seed=seed)


def read(folder: Path, data: Path = DATA) -> None:
    """Ask the trainings that were not asked yet, and write both files."""
    found = trainings(folder)
    before = pd.read_parquet(data / ROWS) if (data / ROWS).is_file() else pd.DataFrame()
    asked = set() if before.empty else set(before[TRAINING].itertuples(index=False, name=None))
    new = [answers(*key, path) for key, path in found.items() if key not in asked]
    if new:
        rows = pd.concat([before, *new], ignore_index=True)
        order = [*TRAINING, "example"]
        rows = rows.sort_values(order, kind="stable", ignore_index=True)
        rows.to_parquet(data / ROWS, index=False, compression="zstd")
    curves = pd.concat([curve(*key, path) for key, path in found.items()])
    if (data / CURVES).is_file():  # trainings whose folder is gone stay
        known = pd.read_csv(data / CURVES, dtype={"hops": str})
        gone = [key not in found for key in known[TRAINING].itertuples(index=False, name=None)]
        curves = pd.concat([known[gone], curves])
    curves = curves[[*TRAINING, *(name for name in curves if name not in TRAINING)]]
    curves = curves.sort_values([*TRAINING, "updates"], kind="stable")
    curves.to_csv(data / CURVES, index=False, lineterminator="\n")
    note(f"{len(new)} trainings asked, {len(found)} are there")


if __name__ == "__main__":
    read(Path(sys.argv[1]))
