"""In which mode each model of a run is read: in latents, in words, or without any steps.

Models of all modes go through one command, so that they can be laid side by side; one that picks
patches is read once more with random picks, as its own control. What a model or the data lack is
found before anything is run.
"""

from typing import TYPE_CHECKING

import torch

from latentlab.console import note
from latentlab.data import Examples
from latentlab.errors import UserError
from latentlab.measures.attention_lines import RANDOM_PICKS
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.selection import check_patches
from latentlab.studies import fewest_patches
from latentlab.study import batches

if TYPE_CHECKING:  # the command imports this module, late
    from latentlab.attention import AttentionConfig


def mode_of(reasoner: Reasoner) -> str:
    """How a model reasons: `latent`, `explicit` (in words), or `plain` where it takes no steps.

    With random picks it says so, as in `latent, random picks`.
    """
    plan = reasoner.plan
    if not plan.steps:
        return "plain"
    mode = "explicit" if plan.in_words else "latent"
    return f"{mode}, {RANDOM_PICKS}" if plan.has_vision and plan.select == "random" else mode


def with_plan(reasoner: Reasoner, plan: LatentPlan) -> Reasoner:
    """The same model under another plan."""
    return Reasoner(
        reasoner.backbone, plan, reasoner.prompter, reasoner.placeholder_id, reasoner.name
    )


def in_words(reasoner: Reasoner, steps: int) -> Reasoner:
    """The same model, told to write so many steps in words before its answer.

    Raises:
        UserError: the model was trained to reason in latents, or there are no steps to write.
    """
    plan = reasoner.plan
    if plan.in_words and plan.steps:
        return reasoner
    if plan.steps:
        raise UserError(f"--explicit {reasoner.name}: it reasons in latents and not in words")
    if not steps:
        raise UserError(
            f"--explicit {reasoner.name}: nothing says how many steps it is to write; name a model "
            "with latent steps beside it"
        )
    words = plan.replace(content="words", part_order="text_vision", text=True, steps=steps, k=0)
    return with_plan(reasoner, words)


def at_random(reasoner: Reasoner) -> Reasoner | None:
    """The same model with random picks; None if it picks nothing, or at random anyway."""
    plan = reasoner.plan
    if not plan.steps or not plan.has_vision or plan.select not in ("attention", "bottom", "given"):
        return None
    return with_plan(reasoner, plan.replace(select="random"))


class Modes:
    """The models of a run, each ready to be read in its mode."""

    def __init__(self, config: "AttentionConfig") -> None:
        """Begin without any; `config.model` names all, `config.explicit` those in words."""
        self._config = config
        self._given: list[Reasoner] = []
        self._ready: dict[str, list[Reasoner]] = {}

    def check(self, reasoner: Reasoner, examples: Examples) -> None:
        """Take one model in; with the last one it is known how many steps are to be written.

        Models that the data cannot serve are passed over with a remark.

        Raises:
            UserError: a model cannot be read in its mode, or no model is left.
        """
        self._given.append(reasoner)
        names = self._config.model
        if len(self._given) < len(names):
            return
        batch_size = self._config.batch_size
        pairs = list(zip(names, self._given, strict=True))
        latent = [model for name, model in pairs if name not in self._config.explicit]
        steps = max((model.plan.steps for model in latent), default=0)
        if not steps and latent:
            # Any model has attention to read; there is only nothing to set beside it.
            for name in self._config.explicit:
                note(f"--explicit {name}: no model says how many steps to write; passed over")
            pairs = [(name, model) for name, model in pairs if name not in self._config.explicit]
        for name, model in pairs:
            ready = in_words(model, steps) if name in self._config.explicit else model
            if lacking := _lacking(ready, examples, batch_size):
                if len(names) == 1:
                    raise UserError(lacking)
                note(f"{lacking}; passed over")
                continue
            control = at_random(ready)
            if control is not None and (lacking := _lacking(control, examples, batch_size)):
                note(f"no control with random picks for {lacking}")
                control = None
            self._ready[model.name] = [ready] if control is None else [ready, control]
        if not self._ready:
            raise UserError("nothing is left to do: the data can serve none of the models")

    def of(self, reasoner: Reasoner) -> list[Reasoner]:
        """A model as it is to be read, and its control; nothing where it is passed over."""
        return self._ready.get(reasoner.name, [])


def _lacking(reasoner: Reasoner, examples: Examples, batch_size: int) -> str:
    """What a model's steps need that the data do not have, in one line; empty if nothing."""
    plan = reasoner.plan
    if not plan.steps or not plan.has_vision:
        return ""
    try:
        if plan.select == "given":
            # Tokenizing looks up the trace of each example.
            for numbered in batches(examples, batch_size):
                reasoner.prompter.batch([example for _, example in numbered], plan)
        else:
            patches, example = fewest_patches(reasoner, examples)
            check_patches(plan, [example], torch.tensor([patches]), None)
    except UserError as error:
        return f"{reasoner.name}: {error}"
    return ""
