r"""The table of the organisms: accuracy on full and one-hop questions, by domain, with intervals.

    python -m latentlab.evaluate --limit 4000 --batch-size 100 --out results/evaluate \
        --data benchmark:hops=1+4 --model cot coconut ivtlr relay gaze bypass filler no_cot
    python experiments/organisms.py        writes figures/organisms.md and .csv

Reads results from disk and runs no model; updates and CPU minutes come from each training's log.
"""

from pathlib import Path

import pandas as pd

from latentlab.checkpoint import ZOO
from latentlab.results import read_results
from latentlab.training.metrics import read_metrics

FIGURES = Path(__file__).parent.parent / "figures"
DOMAINS = ("relation", "letters", "digits")


def accuracy(lines: pd.DataFrame, model: str, hops: str, domain: str) -> str:
    """One model's accuracy on one kind of question, as text."""
    chosen = lines[
        (lines["model"] == model)
        & (lines["hops"].astype(str) == hops)
        & (lines["domain"] == domain)
        & (lines["topic"] == "all")
    ]
    line = chosen.iloc[0]
    value, low, high = (100 * line[f"accuracy{end}"] for end in ("", "_low", "_high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


def main() -> None:
    """Write the table."""
    lines = read_results(Path("results/evaluate")).summary
    rows = []
    for model in lines["model"].unique():
        ends = [x for x in read_metrics(ZOO / model / "metrics.jsonl") if "held_out" in x]
        row = {"model": model, "four hops": accuracy(lines, model, "4", "all")}
        row |= {domain: accuracy(lines, model, "4", domain) for domain in DOMAINS}
        row["one hop"] = accuracy(lines, model, "1", "all")
        row["updates"] = sum(x["update"] for x in ends)
        row["CPU minutes"] = round(sum(x["cpu_seconds"] for x in ends) / 60, 1)
        rows.append(row)
    table = pd.DataFrame(rows)
    table.to_csv(FIGURES / "organisms.csv", index=False)
    head = "| " + " | ".join(table.columns) + " |\n|" + " --- |" * len(table.columns)
    body = ["| " + " | ".join(map(str, row)) + " |" for row in table.to_numpy().tolist()]
    (FIGURES / "organisms.md").write_text("\n".join([head, *body]) + "\n")


if __name__ == "__main__":
    main()
