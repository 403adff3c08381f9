"""Summaries as instruments leave them, with numbers that tests choose."""

from typing import Any

import pandas as pd

from latentlab.checkpoint import find_checkpoint, zoo_names
from latentlab.measures.outcomes import NONE
from latentlab.study.provenance import checkpoint_hash
from latentlab.study.results import Results
from latentlab.vocabulary import CONTROL, KNOCK_OUT

RULES = {"held": "", "closed": ": positions closed", "kept": ": slots kept, empty"}


def ends(name: str, value: float, half: float) -> dict[str, float]:
    """A value with its interval."""
    return {name: value, f"{name}_low": value - half, f"{name}_high": value + half}


def arm(model: str, name: str, delta: float, half: float = 0.02, **facts: Any) -> dict[str, Any]:
    """A line of an ablation: a model that answers 80 % left alone, and `delta` more here."""
    groups = dict.fromkeys(("domain", "topic", "hops", "question_type"), "all")
    line = {"model": model, "data": "benchmark", "intervention": name, "control_of": ""}
    line |= {"kind": KNOCK_OUT, "positions": "", "n": 400, "delta_smallest": 0.023}
    return line | groups | ends("accuracy", 0.8 + delta, half) | ends("delta", delta, half) | facts


def removed(model: str, part: str, **deltas: float) -> list[dict[str, Any]]:
    """A part taken away under each rule of positions."""
    lines = []
    for rule, delta in deltas.items():
        name = f"drop {part}"
        facts = {"positions": rule, "kind": CONTROL if rule == "kept" else KNOCK_OUT}
        of = {} if rule == "held" else {"control_of": name}
        lines.append(arm(model, name + RULES[rule], delta, **facts, **of))
    return lines


def results(command: str, lines: list[dict[str, Any]], **plans: dict[str, Any]) -> Results:
    """Results of a command on the models of its lines; those of the zoo have its checkpoints."""
    summary = pd.DataFrame(lines)
    models = list(dict.fromkeys(summary["model"]))
    hashes = {
        name: checkpoint_hash(find_checkpoint(name)) if name in zoo_names() else "f" * 64
        for name in models
    }
    default = {"steps": 3, "k": 2, "text": True, "select": "attention"}
    run = {
        "command": command,
        "config": {"data": "benchmark"},
        "checkpoints": hashes,
        "plans": {name: plans.get(name, default) for name in models},
        "seed": 0,
        "versions": {"latentlab": "0"},
        "git": None,
        "platform": {"system": "any", "cpus": 1},
        "started": "now",
        "seconds": 1.0,
    }
    return Results(pd.DataFrame({"example": ["a"]}), summary, run)


def knock_outs(model: str, exchanged: float, half: float = 0.02) -> list[dict[str, Any]]:
    """A model whose latents are exchanged, whose text carries much and whose vision a position."""
    return [
        arm(model, NONE, 0.0, half),
        arm(model, "other latent", exchanged, half),
        *removed(model, "latent_text", held=-0.7, closed=-0.65, kept=-0.75),
        *removed(model, "latent_vision", held=-0.2, closed=0.001, kept=-0.002),
        *removed(model, "latent", held=-0.7, closed=-0.7, kept=-0.7),
    ]


def calibration(broken: bool = False, sham: float = 0.0) -> Results:
    """Two readings of relay and bypass, one of them broken where wanted, and a sham."""
    lines = []
    for name in ("drop", "other"):
        verdict = "broken" if broken and name == "drop" else "separates"
        for model, role, value in (("relay", "positive", 0.9), ("bypass", "negative", 0.0)):
            about = {"instrument": f"ablate: {name}", "link": "latent -> answer"}
            about |= {"part": "latent_text", "model": model, "role": role, "verdict": verdict}
            lines.append(about | {"n": 100} | ends("value", value, 0.05))
    lines.append(lines[0] | {"instrument": "ablate: sham", "role": "sham", "value_high": sham})
    return results("calibrate", lines)
