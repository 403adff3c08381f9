"""Text out of a state: greedy answers and the log-likelihood of given options."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind


@torch.no_grad()
def generate(
    rollout: Rollout,
    state: Trajectory,
    eos_id: int | Collection[int],
    marker_id: int | None,
    max_new_tokens: int,
    given: Sequence[Sequence[int]] = (),
) -> list[list[int]]:
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

    Returns:
        New token ids of each example, given ones among them, up to and with the end token.
    """
    state = state.fork()
    batch = len(state.hidden)
    outputs: list[list[int]] = [[] for _ in range(batch)]
    given = given or [()] * batch
    ends = {eos_id} if isinstance(eos_id, int) else frozenset(eos_id)
    kinds = [int(Kind.ANSWER if marker_id is None else Kind.RATIONALE)] * batch
    done = [False] * batch
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
        if all(done) or length == max_new_tokens:
            break
        # Rows that are done run along; nothing reads them, and nothing of theirs reaches others.
        new = torch.tensor([tokens, kinds], device=state.hidden.device)[..., None]
        logits = rollout.extend(state, new[0], new[1])[:, -1]
    return outputs


def append_text(
    rollout: Rollout, state: Trajectory, text: Sequence[int]
) -> Float[Tensor, "batch tokens+1 vocab"]:
    """Append the same tokens, of kind ANSWER, to every example of a state, such as the marker.

    Returns:
        Logits of the position before the text and of each of its tokens.
    """
    ids = torch.tensor(list(text), dtype=torch.long, device=state.hidden.device)
    ids = ids.expand(len(state.hidden), -1)
    return rollout.extend(state, ids, torch.full_like(ids, int(Kind.ANSWER)))


@torch.no_grad()
def option_logprobs(
    rollout: Rollout,
    state: Trajectory,
    prefixes: Sequence[tuple[Sequence[int], Sequence[int]]],
    options: Sequence[Sequence[Sequence[int]]],
) -> list[list[float]]:
    """Log-likelihood of each option's tokens, given the text before it.

    Args:
        rollout: the engine.
        state: where the text begins; it stays as it was.
        prefixes: for each example, the token ids between state and option (generated rationale,
            answer marker) and their kinds.
        options: for each example, the token ids of every option; there may be none.

    Returns:
        log p(option | prompt, latents, prefix) in nats, summed over the option's tokens.
    """
    width = max(map(len, options))
    if width == 0:
        return [[] for _ in options]
    text = OptionText.of(prefixes, options, state.hidden.device)
    logits = rollout.extend(state.repeat(width), text.ids, text.kinds)
    sums = text.logprobs(logits).tolist()
    return [row[: len(choices)] for row, choices in zip(sums, options, strict=True)]


@dataclass(frozen=True)
class OptionText:
    """Every option of every example as text to append, right-padded: one row an option.

    Examples have as many rows as the one with the most options; rows without an option are PAD from
    where it would begin.
    """

    ids: Int[Tensor, "rows tokens"]
    """Token ids of prefix and option."""

    kinds: Int[Tensor, "rows tokens"]
    """Their kinds."""

    scored: Bool[Tensor, "rows tokens"]
    """Which tokens are those of the option."""

    width: int
    """Rows of one example."""

    @classmethod
    def of(
        cls,
        prefixes: Sequence[tuple[Sequence[int], Sequence[int]]],
        options: Sequence[Sequence[Sequence[int]]],
        device: torch.device,
    ) -> "OptionText":
        """Write prefixes and options out; see `option_logprobs`."""
        width = max(map(len, options))
        rows, kinds, starts = [], [], []
        for (prefix, prefix_kinds), choices in zip(prefixes, options, strict=True):
            for choice in [*choices, *([[]] * (width - len(choices)))]:
                rows.append([*prefix, *choice])
                kinds.append([*prefix_kinds, *([int(Kind.ANSWER)] * len(choice))])
                starts.append(len(prefix))
        length = max(map(len, rows))
        ids = torch.tensor([row + [0] * (length - len(row)) for row in rows], device=device)
        kind = torch.tensor(
            [row + [int(Kind.PAD)] * (length - len(row)) for row in kinds], device=device
        )
        index = torch.arange(length, device=device)[None, :]
        scored = (index >= torch.tensor(starts, device=device)[:, None]) & (kind != Kind.PAD)
        return cls(ids, kind, scored, width)

    def logprobs(
        self, logits: Float[Tensor, "rows tokens+1 vocab"]
    ) -> Float[Tensor, "batch options"]:
        """Log-likelihood of every option in nats; 0 where an example has no such option.

        Args:
            logits: what `Rollout.extend` returns for this text.
        """
        exact = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)
        scores = exact[:, :-1].gather(-1, self.ids[..., None])[..., 0]
        return (scores * self.scored).sum(-1).view(-1, self.width)
