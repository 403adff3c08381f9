"""What an arm does to a model, in plain words."""

from typing import TYPE_CHECKING, Any

from latentlab.wording import CONTROLS as CONTROLS
from latentlab.wording import RULES, SOURCES, part_name

if TYPE_CHECKING:
    import pandas as pd

    Line = pd.Series[Any]

FAMILIES = {
    "drop": ("part left out", "parts left out"),
    "replace": ("replacement", "replacements"),
    "steps": ("number of latent steps", "numbers of latent steps"),
    "k": ("number of patches", "numbers of patches"),
    "select": ("way to pick patches", "ways to pick patches"),
}
"""Actions whose arms are told together, as one and as several."""


def phrase(line: "Line") -> str:
    """What an arm does, as the beginning of a sentence about the model.

    Args:
        line: a line of a summary with the facts of its arm (`study.arms.Arm.facts`).
    """
    action, part, source = (str(line[name]) for name in ("action", "part", "source"))
    strength, steps = float(line["strength"]), str(line["steps"])
    if action == "none":
        return "left alone"
    if action == "sham":
        return f"with its own {part_name(part)} put back"
    if action == "drop":
        text = f"without its {part_name(part)}"
    elif action == "replace" and (part, source) == ("rationale", "placeholder"):
        text = "with an empty token for every word of its rationale"
    elif action == "replace":
        text = SOURCES[source].format(part_name(part), strength=strength)
    elif action == "steps":
        text = f"with {strength:g} latent steps"
    elif action == "k":
        text = f"with {strength:g} re-inserted patches a step"
    elif action == "select":
        rule, _, reuse = source.partition(" ")
        text = f"with patches {RULES.get(rule, rule)}"
        text += f", {reuse}" if reuse else ""
        text += "" if strength != strength else f", {strength:g} a step"
    else:
        return f"under {str(line['intervention']).replace('_', ' ')}"
    if steps not in ("", "all"):
        text += f" at step {steps.replace('..', ' to ').replace(', ', ' and ')}"
    return text + (" and all others held" if line["context"] == "frozen" else "")
