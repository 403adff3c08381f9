"""Putting a trained organism into the package: weights, settings, log, curves and a model card.

The card is made from the training's own files, so it cannot say what did not happen.
"""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from latentlab.checkpoint import ZOO
from latentlab.files import held, write_folder
from latentlab.training.config import CONFIG_FILE
from latentlab.training.metrics import METRICS_FILE, read_metrics
from latentlab.training.purposes import PURPOSES


def embed(name: str, folder: Path, zoo: Path = ZOO) -> Path:
    """Copy a finished training's model into the zoo, with everything that tells how it came about.

    Args:
        name: the organism's name.
        folder: the training's folder, with `final/`, `config.yaml` and `metrics.jsonl`.
        zoo: where the embedded models live.
    """
    target = zoo / name

    def write(fresh: Path) -> None:
        shutil.copytree(folder / "final", fresh, dirs_exist_ok=True)
        shutil.copy(folder / CONFIG_FILE, fresh)
        shutil.copy(folder / METRICS_FILE, fresh)
        metrics = read_metrics(fresh / METRICS_FILE)
        draw_curves(metrics, fresh / "curves.png")
        settings = yaml.safe_load((fresh / CONFIG_FILE).read_text())
        (fresh / "README.md").write_text(card(name, settings, metrics))

    with held(target):
        before = [entry.name for entry in target.iterdir()] if target.is_dir() else []
        write_folder(target, write, own=before)
    return target


def draw_curves(metrics: list[dict[str, Any]], path: Path) -> None:
    """Draw the training loss over all stages, and the held-out accuracy after each."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.4), layout="constrained")
    start = 0
    ends: list[tuple[int, dict[str, Any]]] = []
    for stage in dict.fromkeys(line["stage"] for line in metrics):
        losses = [x for x in metrics if x["stage"] == stage and "loss" in x]
        left.plot([start + x["update"] for x in losses], [x["loss"] for x in losses], label=stage)
        end = next(x for x in metrics if x["stage"] == stage and "held_out" in x)
        start += end["update"]
        ends.append((start, end["held_out"]))
    left.set(xlabel="update", ylabel="training loss (nats a token)", yscale="log")
    left.legend(fontsize="x-small", frameon=False)
    for group in ends[-1][1]:
        values = [held_out[group] for _, held_out in ends]
        accuracy = [100 * v["accuracy"] for v in values]
        # At 0 and 100 % the interval ends at the estimate, up to rounding.
        low = [max(0.0, 100 * (v["accuracy"] - v["low"])) for v in values]
        high = [max(0.0, 100 * (v["high"] - v["accuracy"])) for v in values]
        style = "o-" if group == "all" else "o--"
        right.errorbar([e for e, _ in ends], accuracy, (low, high), fmt=style, label=group, ms=3)
    right.set(xlabel="update", ylabel="held-out accuracy (%)", ylim=(-3, 103))
    right.legend(fontsize="x-small", frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def card(name: str, settings: dict[str, Any], metrics: list[dict[str, Any]]) -> str:
    """Write the model card in Markdown."""
    ends = [line for line in metrics if "held_out" in line]
    table = pd.DataFrame(
        [
            {
                "questions (domain/hops)": group,
                "n": value["n"],
                "accuracy % [95 %]": f"{100 * value['accuracy']:.1f} "
                f"[{100 * value['low']:.1f}, {100 * value['high']:.1f}]",
            }
            for group, value in ends[-1]["held_out"].items()
        ]
    )
    lines = ["| " + " | ".join(table.columns) + " |", "|" + " --- |" * len(table.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in table.to_numpy()]
    updates = sum(line["update"] for line in ends)
    minutes = sum(line["cpu_seconds"] for line in ends) / 60
    plan = "\n".join(f"    {key}: {value}" for key, value in settings["plan"].items())
    return f"""# {name}

{PURPOSES[name]}

A tiny Qwen2-VL (an ordinary Hugging Face folder; `latentlab.json` adds the plan), trained on the
diagnostic benchmark in {updates:,} updates and {minutes:.1f} CPU minutes after the shared base
model, seed {settings["seed"]}. Weights are stored in {settings["save_dtype"]}.

Held-out accuracy at the end of training (validation split, strict scoring):

{chr(10).join(lines)}

![curves](curves.png)

Plan:

{plan}

It knows the benchmark's words and pictures and nothing else: use it to calibrate instruments, not
to answer questions about photographs. `config.yaml` holds every setting, `metrics.jsonl` the log;
`python -m latentlab.organisms {name} --seed {settings["seed"]}` trains it again.
"""
