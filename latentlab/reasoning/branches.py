"""All options of a question in one pass: branches that go on from what they share.

The text before an option is run once, and every option is a branch behind it that sees the text and
itself: so neither keys and values nor the text are repeated for each option. The numbers are those
of one row an option (`decode.option_logprobs`), which is what is done where branches cannot be.
"""

from collections.abc import Sequence

import numpy as np
import torch

from latentlab.backbones import Backbone
from latentlab.reasoning.passes import advance
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind


def can_branch(rollout: Rollout) -> bool:
    """Whether options can be branches: nothing acts in the model, and distance plays no part.

    What acts on attention or on activations knows of rows and of their newest position, and layers
    that see only so far count all positions between.
    """
    backbone = rollout.backbone
    if rollout.around or type(backbone).masks is not Backbone.masks:
        return False
    modules = backbone.model.modules()
    return not any(module._forward_hooks or module._forward_pre_hooks for module in modules)


@torch.no_grad()
def branched_logprobs(
    rollout: Rollout,
    state: Trajectory,
    prefixes: Sequence[tuple[Sequence[int], Sequence[int]]],
    options: Sequence[Sequence[Sequence[int]]],
) -> list[list[float]]:
    """Log-likelihood of each option's tokens, given the text before it; see `option_logprobs`."""
    lengths = [
        len(before) + sum(map(len, row)) for (before, _), row in zip(prefixes, options, strict=True)
    ]
    shape = len(options), max(lengths)
    ids, kinds = np.zeros(shape, np.int64), np.full(shape, int(Kind.PAD))
    branch, place = np.full(shape, -1), np.zeros(shape, np.int64)
    # The position that predicts each token, counted from the one before the text.
    before_it = np.zeros(shape, np.int64)
    for i, ((text, text_kinds), row) in enumerate(zip(prefixes, options, strict=True)):
        end = len(text)
        ids[i, :end], kinds[i, :end], branch[i, :end] = text, text_kinds, 0
        place[i, :end] = before_it[i, :end] = np.arange(end)
        start = end
        for number, option in enumerate(row):
            stop = start + len(option)
            ids[i, start:stop], kinds[i, start:stop] = option, int(Kind.ANSWER)
            branch[i, start:stop] = number + 1
            place[i, start:stop] = end + np.arange(len(option))
            before_it[i, start:stop] = np.arange(start, stop)
            if len(option):
                before_it[i, start] = end
            start = stop
    device, fork = state.hidden.device, state.fork()
    rollout.pass_index = rollout.plan.steps + 1
    tokens = torch.from_numpy(ids).to(device)
    branches = torch.from_numpy(branch).to(device)
    hidden = advance(
        rollout,
        fork,
        rollout.backbone.embed_tokens(tokens),
        torch.from_numpy(kinds).to(device),
        state.next_position[:, None] + torch.from_numpy(place).to(device),
        keep_row=False,
        branches=branches,
    )
    hidden = torch.cat([state.hidden[:, None], hidden], dim=1)
    scored = branches > 0
    rows, columns = scored.nonzero(as_tuple=True)
    predicting = torch.from_numpy(before_it).to(device)[rows, columns]
    logits = rollout.backbone.logits(hidden[rows, predicting])
    exact = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)
    values = exact.gather(-1, tokens[rows, columns, None])[:, 0]
    width = max(map(len, options))
    sums = values.new_zeros(len(options) * width)
    sums.index_add_(0, rows * width + branches[rows, columns] - 1, values)
    told = sums.view(-1, width).tolist()
    return [row[: len(choices)] for row, choices in zip(told, options, strict=True)]
