"""The plain words for what arms and their controls do to a model."""

import re

from latentlab.vocabulary import EMPTY, FROZEN, POSITION_ARMS

_PHRASES = {
    r"drop (\S+)": "without its {}",
    r"zero (\S+)": "with zeros for its {}",
    r"mean (\S+)": "with the mean over other questions for its {}",
    r"constant (\S+)": "with one and the same vector for its {}",
    r"noise (\S+) (\S+)": "with noise of {} SD on its {}",
    r"norm-kept noise (\S+) (\S+)": "with norm-preserving noise of {} SD on its {}",
    r"matched_noise (\S+)": "with noise of the same mean and SD for its {}",
    r"unit_noise (\S+)": "with standard normal noise for its {}",
    r"norm_matched (\S+)": "with random vectors of the same norm for its {}",
    r"other (\S+)": "with another question's {}",
    r"other_any (\S+)": "with the {} of a question of any domain",
    r"off_walk (\S+)": "with patches off the walk for its {}",
    r"permute (\S+)": "with the steps of its {} in a random order",
    r"reverse (\S+)": "with the steps of its {} reversed",
    r"first (\S+)": "with the first step of its {} repeated",
    r"placeholder rationale": "with an empty token for every word of its rationale",
    r"placeholder (\S+)": "with empty slots for its {}",
    r"steps=(\d+)": "with {} latent steps",
    r"k=(\d+)": "with {} re-inserted patches a step",
    r"select (\w+)": "with patches picked by the rule {}",
    r"select (\w+), k=(\d+)": "with patches picked by the rule {}, {} a step",
}

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
"""What controls, and arms that differ in positions only, do; the subject of a sentence."""

FAMILIES = {
    "replacements": (
        r"(zero|mean|constant|(\S+ ?)?noise|norm_matched|other|other_any|off_walk"
        r"|permute|reverse|first|placeholder) "
    ),
    "numbers of latent steps": r"steps=",
    "numbers of patches": r"k=",
    "ways to pick patches": r"select ",
}
"""Arms that are told together, by what their names begin with; those that drop stand alone."""


def phrase(arm: str) -> str:
    """What an arm does, as the beginning of a sentence about the model."""
    what, at, steps = arm.removesuffix(FROZEN).partition(" at step ")
    what, again, _ = what.partition(", with reuse")
    for pattern, words in _PHRASES.items():
        if match := re.fullmatch(pattern, what):
            names = (group.replace("_", " ") for group in match.groups())
            text = words.format(*("latents" if name == "latent" else name for name in names))
            text += " and reuse" if again else ""
            text += f" at step {steps.replace('+', ' and ')}" if at else ""
            return text + (" and all others held" if arm.endswith(FROZEN) else "")
    return f"under {arm}"
