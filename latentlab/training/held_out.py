"""Held-out examples: a part of the data that nothing is trained on.

They are the validation split of the data of the last stage, or of what `eval_data` names. Data
without that split gives every tenth example, which no stage is then trained on.
"""

from latentlab.console import warn
from latentlab.data import CachedExamples, Examples, load_data, sound
from latentlab.data.sequence import Subset
from latentlab.data.splits import MissingSplitError
from latentlab.errors import UserError
from latentlab.training.config import TrainConfig

EVERY = 10
"""Of so many examples one is held out, where the data has no part for it."""


def held_out_name(config: TrainConfig) -> str:
    """What held-out examples are examples of: a data specification."""
    return config.eval_data or config.stages[-1].data


def is_held_apart(config: TrainConfig, data: str) -> bool:
    """Whether every tenth example of some data is held out from training.

    Args:
        config: the training.
        data: the specification of a stage's data.
    """
    if config.eval_data or data.partition(":")[0] == "benchmark":
        return False
    try:
        validation = load_data(data, "validation", config.seed, 1, strict=False)
    except MissingSplitError:
        return True
    training = load_data(data, "train", config.seed, strict=False)
    name = validation.worded(0).id
    return any(training.worded(i).id == name for i in range(len(training)))


def divided(examples: Examples, held_out: bool) -> Examples:
    """Every tenth example, or all the others.

    Raises:
        UserError: there is only one example.
    """
    if len(examples) < 2:
        raise UserError("one example cannot be divided into training and held-out examples")
    held = set(range(EVERY - 1, len(examples), EVERY)) or {len(examples) - 1}
    return Subset(examples, [i for i in range(len(examples)) if (i in held) == held_out])


def held_out_examples(config: TrainConfig, most: int) -> Examples:
    """Held-out examples, without those that cannot be used."""
    name = held_out_name(config)
    if is_held_apart(config, name):
        data = divided(load_data(name, "train", config.seed, strict=False), held_out=True)[:most]
    else:
        data = load_data(name, "validation", config.seed, most, strict=False)
    return sound(CachedExamples(data), strict=False, scored=False)[0]


def warn_of_overlap(config: TrainConfig, data: str, examples: Examples) -> None:
    """Say so where the held-out accuracy is measured on what is trained on."""
    if data != config.eval_data:
        return
    held_out = load_data(data, "validation", config.seed, 1, strict=False)
    if examples.worded(0).id == held_out.worded(0).id:
        warn(
            f"{data} has no splits train and validation: the accuracy after each stage is measured "
            "on the very examples that are trained on; leave eval_data out, and a tenth is held out"
        )
