"""Greedy text out of a state, and the way back to any place in it.

What is asked next of a text, such as how likely the options are after it, was often read while it
was written; those passes are kept, so that nothing is run twice.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind

Text = tuple[Sequence[int], Sequence[int]]
"""Token ids and their kinds."""


@dataclass(frozen=True)
class Greedy:
    """What greedy writing left behind: its tokens, and the passes that read them."""

    outputs: list[list[int]]
    """New token ids of each example, given ones among them, up to and with the end token."""

    state: Trajectory
    """The sequence after the last pass; rows that had ended ran along."""

    hidden: Float[Tensor, "batch passes+1 hidden"]
    """Hidden states before the first token and at each that was read."""

    ids: Int[Tensor, "batch passes"]
    """The tokens that were read."""

    def upto(self, texts: Sequence[Text]) -> tuple[Trajectory, list[Text]]:
        """Go back to where given texts part from what was written.

        Args:
            texts: token ids and kinds for each example.

        Returns:
            A state in which each example has read what its text and what was written begin with in
            common (the rest is padding, which is never seen), and what is left of the texts.
        """
        passes = self.ids.shape[1]
        before = self.state.kinds.shape[1] - passes
        read, kinds = self.ids.tolist(), self.state.kinds[:, before:].tolist()
        common = [
            _common(list(zip(*text, strict=True)), list(zip(*one, strict=True)))
            for text, one in zip(texts, zip(read, kinds, strict=True), strict=True)
        ]
        kept, longest = self.ids.new_tensor(common), max(common)
        state = self.state.fork()
        state.cache.crop(longest - passes)
        beyond = torch.arange(before + longest, device=kept.device) >= before + kept[:, None]
        state.kinds = state.kinds[:, : before + longest].masked_fill(beyond, int(Kind.PAD))
        state.next_position = state.next_position - passes + kept
        state.hidden = self.hidden[torch.arange(len(kept), device=kept.device), kept]
        pairs = zip(texts, common, strict=True)
        return state, [(ids[at:], kind[at:]) for (ids, kind), at in pairs]


def kinds_of(text: Sequence[int], marker_id: int | None) -> list[int]:
    """Kinds of a text's tokens as `greedy` writes it: ANSWER from the first marker token on."""
    ids = list(text)
    turn = ids.index(marker_id) if marker_id in ids else len(ids)
    return [int(Kind.RATIONALE)] * turn + [int(Kind.ANSWER)] * (len(ids) - turn)


def _common(first: Sequence[object], second: Sequence[object]) -> int:
    """With how many equal items two sequences begin."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(first), len(second)))


@torch.no_grad()
def greedy(
    rollout: Rollout,
    state: Trajectory,
    eos_id: int | Collection[int],
    marker_id: int | None,
    max_new_tokens: int,
    given: Sequence[Sequence[int]] = (),
    read_last: bool = True,
) -> Greedy:
    """Continue greedily from a state, which stays as it was.

    Args:
        rollout: the engine.
        state: where to go on.
        eos_id: the token, or any of the tokens, that ends an answer; it is kept in the output.
        marker_id: first token of the answer marker: positions from it on count as ANSWER, those
            before it as RATIONALE. None makes everything ANSWER.
        max_new_tokens: where to stop at the latest.
        given: tokens that each example begins with instead of its own. After those that it writes
            by itself it goes on as it would, to the bit.
        read_last: whether a text that was cut short is read to its end, so that what follows on any
            of its tokens is known.
    """
    state = state.fork()
    batch = len(state.hidden)
    outputs: list[list[int]] = [[] for _ in range(batch)]
    given = given or [()] * batch
    ends = {eos_id} if isinstance(eos_id, int) else frozenset(eos_id)
    kinds = [int(Kind.ANSWER if marker_id is None else Kind.RATIONALE)] * batch
    done = [False] * batch
    hidden, read = [state.hidden], [state.kinds[:, :0]]
    logits = rollout.backbone.logits(state.hidden)
    for length in range(1, max_new_tokens + 1):
        tokens: list[int] = logits.argmax(-1).tolist()
        for i, ids in enumerate(given):
            if length <= len(ids):
                tokens[i] = ids[length - 1]
            if not done[i]:
                outputs[i].append(tokens[i])
            done[i] = done[i] or (tokens[i] in ends and len(ids) < length)
            if tokens[i] == marker_id:
                kinds[i] = int(Kind.ANSWER)
        if all(done) or (length == max_new_tokens and not read_last):
            break
        # Rows that are done run along; nothing reads them, and nothing of theirs reaches others.
        new = torch.tensor([tokens, kinds], device=state.hidden.device)[..., None]
        logits = rollout.extend(state, new[0], new[1])[:, -1]
        hidden.append(state.hidden)
        read.append(new[0])
    return Greedy(outputs, state, torch.stack(hidden, 1), torch.cat(read, 1))


def generate(
    rollout: Rollout,
    state: Trajectory,
    eos_id: int | Collection[int],
    marker_id: int | None,
    max_new_tokens: int,
    given: Sequence[Sequence[int]] = (),
) -> list[list[int]]:
    """The tokens that `greedy` writes."""
    return greedy(rollout, state, eos_id, marker_id, max_new_tokens, given, False).outputs
