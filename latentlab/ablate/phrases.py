"""The plain words for what arms and their controls do to a model."""

from typing import TYPE_CHECKING, Any

from latentlab.vocabulary import EMPTY, PARTS, POSITION_ARMS

if TYPE_CHECKING:
    import pandas as pd

    Line = pd.Series[Any]

SOURCES = {
    "zero": "with zeros for its {}",
    "mean": "with the mean over other questions for its {}",
    "constant": "with one and the same vector for its {}",
    "noise": "with noise of {strength:g} SD on its {}",
    "norm-kept noise": "with norm-preserving noise of {strength:g} SD on its {}",
    "matched_noise": "with noise of the same mean and SD for its {}",
    "unit_noise": "with standard normal noise for its {}",
    "norm_matched": "with random vectors of the same norm for its {}",
    "other": "with another question's {}",
    "other_any": "with the {} of a question of any domain",
    "off_walk": "with patches off the walk for its {}",
    "permute": "with the steps of its {} in a random order",
    "reverse": "with the steps of its {} reversed",
    "first": "with the first step of its {} repeated",
    "placeholder": "with empty slots for its {}",
}
"""What a replacement does to a part."""

CONTROLS = {
    EMPTY: "leaving the same slots empty",
    POSITION_ARMS["closed"]: "closing up positions",
    POSITION_ARMS["held"]: "holding positions",
    "on uninformative words": "doing the same to as many uninformative words",
    "on off-walk image positions": "doing the same to as many image positions off the walk",
    "on unneeded prompt positions": "doing the same to as many positions that are not needed",
    "on any prompt positions": "doing the same to any prompt positions (a weaker control)",
    "the difference empty": "leaving the steps of difference empty",
    "as many at random": "picking as many at random",
}
"""What controls, and arms that differ in positions only, do; a subject, or what follows "when"."""

FAMILIES = {
    "drop": ("part left out", "parts left out"),
    "replace": ("replacement", "replacements"),
    "steps": ("number of latent steps", "numbers of latent steps"),
    "k": ("number of patches", "numbers of patches"),
    "select": ("way to pick patches", "ways to pick patches"),
}
"""Actions whose arms are told together, as one and as several."""


def part_name(part: str) -> str:
    """A part as sentences call it."""
    return PARTS.get(part, part)


def phrase(line: "Line") -> str:
    """What an arm does, as the beginning of a sentence about the model.

    Args:
        line: a line of a summary with the facts of its arm (`study.arms.Arm.facts`).
    """
    action, part, source = (str(line[name]) for name in ("action", "part", "source"))
    strength, steps = float(line["strength"]), str(line["steps"])
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
        text = f"with patches picked by the rule {source}"
        text += "" if strength != strength else f", {strength:g} a step"
    else:
        return f"under {line['intervention']}"
    if steps not in ("", "all"):
        text += f" at step {steps.replace('..', ' to ').replace(', ', ' and ')}"
    return text + (" and all others held" if line["context"] == "frozen" else "")
