"""Given text after a state: appended to it, or scored as the options of a question."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.reasoning.greedy import Greedy, Text
from latentlab.reasoning.passes import advance
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind


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
    start: Trajectory | Greedy,
    prefixes: Sequence[Text],
    options: Sequence[Sequence[Sequence[int]]],
) -> list[list[float]]:
    """Log-likelihood of each option's tokens, given the text before it.

    What the options of a question share is run once, and not at all where it was written already.
    Nor is an option's last token, which predicts nothing: options of one token take no pass.

    Args:
        rollout: the engine.
        start: where the text begins, or what was written from there; it stays as it was.
        prefixes: for each example, the token ids between start and option (generated rationale,
            answer marker) and their kinds.
        options: for each example, the token ids of every option; there may be none.

    Returns:
        log p(option | prompt, latents, prefix) in nats, summed over the option's tokens.
    """
    width = max(map(len, options))
    if width == 0:
        return [[] for _ in options]
    state, rest = start.upto(prefixes) if isinstance(start, Greedy) else (start.fork(), prefixes)
    device, backbone = state.hidden.device, rollout.backbone
    rollout.pass_index = rollout.plan.steps + 1
    if any(ids for ids, _ in rest):
        before = OptionText.of(rest, [[[]]] * len(rest), device)
        rollout.write(state, before.ids, before.kinds)
    text = OptionText.of([([], [])] * len(options), options, device)
    size = len(options), width, text.ids.shape[1]
    ids, real = text.ids.view(size), text.scored.view(size)
    told = torch.zeros(size, device=device)
    if size[2]:
        told[..., 0] = _told(backbone.logits(state.hidden), ids[..., 0])
    if size[2] > 1:
        read = backbone.logits(_branches(rollout, state, ids[..., :-1], real[..., 1:]))
        told[..., 1:] = _told(read, ids[..., 1:, None])[..., 0]
    sums = told.masked_fill(~real, 0).sum(-1).tolist()
    return [row[: len(choices)] for row, choices in zip(sums, options, strict=True)]


def _told(
    logits: Float[Tensor, "*places vocab"], ids: Int[Tensor, "*places asked"]
) -> Float[Tensor, "*places asked"]:
    """Log-likelihood of tokens, in nats and in single precision at least."""
    exact = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)
    return exact.gather(-1, ids)


def _branches(
    rollout: Rollout,
    state: Trajectory,
    ids: Int[Tensor, "batch options tokens"],
    real: Bool[Tensor, "batch options tokens"],
) -> Float[Tensor, "batch options tokens hidden"]:
    """Read every option on its own from one state, which may be changed.

    The options of a question are branches of one sequence, so that what is before them is stored
    once. Where a layer sees no further than a window, which would count those of other options,
    each has a sequence of its own instead.
    """
    (batch, width, length), backbone = ids.shape, rollout.backbone
    kinds = torch.where(real, int(Kind.ANSWER), int(Kind.PAD))
    keys = state.kinds.shape[1] + width * length
    if backbone.window is not None and keys > backbone.window:
        rows = state.repeat(width)
        hidden = rollout.write(rows, ids.flatten(0, 1), kinds.flatten(0, 1))[:, 1:]
    else:
        branch = torch.arange(width, device=ids.device).repeat_interleave(length)
        places = torch.arange(length, device=ids.device).repeat(width)
        embeds = backbone.embed_tokens(ids.flatten(1))
        positions = state.next_position[:, None] + places
        among = branch[:, None] == branch
        rollout.branches = width
        try:
            hidden = advance(
                rollout, state, embeds, kinds.flatten(1), positions, keep_row=False, among=among
            )
        finally:
            rollout.branches = 1
    return hidden.view(batch, width, length, -1)


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
        prefixes: Sequence[Text],
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
        filled = [
            [one + [fill] * (length - len(one)) for one in many]
            for many, fill in ((rows, 0), (kinds, int(Kind.PAD)))
        ]
        ids, kind = torch.tensor(filled, dtype=torch.long, device=device)
        index = torch.arange(length, device=device)[None, :]
        scored = (index >= torch.tensor(starts, device=device)[:, None]) & (kind != Kind.PAD)
        return cls(ids, kind, scored, width)

    def logprobs(self, logits: Float[Tensor, "rows read vocab"]) -> Float[Tensor, "batch options"]:
        """Log-likelihood of every option in nats; 0 where an example has no such option.

        Args:
            logits: what `Rollout.extend` returns for this text, of the last token or not.
        """
        scores = _told(logits[:, : self.ids.shape[1]], self.ids[..., None])[..., 0]
        return (scores * self.scored).sum(-1).view(-1, self.width)
