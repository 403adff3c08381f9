"""Explicit mode: steps that are written in words, and how the engine knows where one ends.

A step is first drafted greedily, token by token, on a fork of the sequence. The words found are
then run in one pass in which all examples end together: there is one attention row that picks the
patches, and hooks meet one pass of words a step, exactly as under teacher forcing. Where a step is
one token, as in the embedded models, drafting it takes no pass at all.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.backbones import Backbone
from latentlab.errors import UserError
from latentlab.reasoning.said import Words
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind

LONGEST_STEP = 128
"""Tokens after which a step ends in any case."""

DRAFT = -1
"""The rollout's pass_index while words are drafted, so that hooks leave those passes alone."""


@dataclass(frozen=True)
class StepEnds:
    """How a model's steps end: what a prompter knows of its tokenizer and its format."""

    separator: str
    """What stands after a step."""

    separator_ids: tuple[int, ...]
    """Its tokens; where a tokenizer gives it none, every token is a step."""

    decode: Callable[[list[int]], str]
    """The exact text of some tokens."""

    stops: frozenset[int]
    """Tokens after which no step follows: the first of the answer marker, and the end token."""

    longest: int = LONGEST_STEP
    """Tokens after which a step ends in any case."""

    def ends(self, step: Sequence[int]) -> bool:
        """Whether the tokens of a step so far are all of it."""
        count = len(self.separator_ids)
        if not count or len(step) >= self.longest or tuple(step[-count:]) == self.separator_ids:
            return True
        # Many tokenizers merge a full stop and the line break after it into one token.
        return self.decode(list(step[-len(self.separator) :])).endswith(self.separator)

    def split(self, ids: Sequence[int], count: int, example: str) -> list[list[int]]:
        """Cut the tokens of a rationale into its steps, where a model's own would end.

        Args:
            ids: the tokens, up to and with the last separator.
            count: how many steps there are.
            example: who it belongs to.

        Raises:
            UserError: that gives another number of steps.
        """
        steps: list[list[int]] = [[]]
        for token in ids:
            steps[-1].append(token)
            if self.ends(steps[-1]):
                steps.append([])
        if steps[-1] or len(steps) - 1 != count:
            form = f"end with {self.separator!r} and hold it nowhere else"
            if not self.separator_ids:
                form = "be one token, since the tokenizer drops what separates them"
            raise UserError(
                f"{example}: the {count} steps of the rationale cannot be told apart again; each "
                f"must {form}, in at most {self.longest} tokens"
            )
        return steps[:-1]


class Ends(Protocol):
    """Where a text ends that a model writes by itself."""

    @property
    def stops(self) -> frozenset[int]:
        """Tokens that belong to no such text, and after which none follows."""
        ...

    def ends(self, step: Sequence[int], /) -> bool:
        """Whether the tokens so far are all of it."""
        ...


class Writer(Protocol):
    """What writing a step takes of the engine that runs it."""

    backbone: Backbone
    """The model."""

    pass_index: int
    """Where in the rollout it is; `DRAFT` while words are only tried."""

    step_ends: StepEnds | None
    """How the model's steps end."""

    def write(
        self,
        state: Trajectory,
        ids: Int[Tensor, "batch queries"],
        kinds: Int[Tensor, "batch queries"],
        keep_row: bool = False,
    ) -> Float[Tensor, "batch queries hidden"]:
        """Append tokens to the sequence and return their last hidden states."""
        ...


@torch.no_grad()
def draft(rollout: Writer, state: Trajectory, step_ends: Ends) -> Words:
    """Find the words of the next step, greedily; the state stays as it was.

    Args:
        rollout: the engine.
        state: where the step begins.
        step_ends: where it ends.

    Returns:
        The words, none for examples that went on with their answer, at an earlier step or now.
    """
    going = state.going_on.clone()
    ended = torch.zeros_like(going)
    rows: list[list[int]] = [[] for _ in state.hidden]
    fork, hidden = state, state.hidden
    while bool(going.any()):
        tokens = rollout.backbone.logits(hidden).argmax(-1)
        for i in going.nonzero()[:, 0].tolist():
            if (token := int(tokens[i])) in step_ends.stops:
                going[i] = False
                continue
            rows[i].append(token)
            if step_ends.ends(rows[i]):
                going[i], ended[i] = False, True
        if not bool(going.any()):
            break
        fork = state.fork() if fork is state else fork
        kinds = torch.where(going, int(Kind.RATIONALE), int(Kind.PAD))[:, None]
        rollout.pass_index = DRAFT
        hidden = rollout.write(fork, tokens[:, None], kinds)[:, -1]
    return Words.of(rows, ended.tolist()).to(state.hidden.device)


def say(rollout: Writer, state: Trajectory, step: int, given: Words | None = None) -> None:
    """Append what a step says.

    Args:
        rollout: the engine.
        state: the sequence, which grows.
        step: the step, from 0.
        given: what is said (teacher forcing); None lets the model write.

    Raises:
        ValueError: the model is to write, and nothing says how its steps end.
    """
    if given is None:
        if rollout.step_ends is None:
            raise ValueError("nothing says how steps end; make the rollout with `step_ends`")
        given = draft(rollout, state, rollout.step_ends)
    rollout.pass_index = step + 1
    hidden = rollout.write(state, given.ids, given.kinds, keep_row=True)
    state.words.append(dataclasses.replace(given, states=hidden[:, :-1]))
