"""Rows of direct logit attribution: what each part of the last position adds to the answer.

What is taken apart is a difference: the logit of the answer's first token minus the mean of those
of the other options, so that what is added to all options alike drops out. The control is the same
difference for a wrong option.
"""

from collections.abc import Iterator, Sequence

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.data.example import Example
from latentlab.lens.logit_attribution import TOTAL, attribute
from latentlab.lens.summary import ATTRIBUTION
from latentlab.lens.targets import ANSWER, OTHER_OPTION, TARGET, drawn_option
from latentlab.reasoner import Reasoner
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.unrolled import Unrolled
from latentlab.vocabulary import CONTROL


def attribution_rows(
    reasoner: Reasoner,
    rollout: Rollout,
    unrolled: Unrolled,
    asked: Sequence[Example],
    head: pd.DataFrame,
    seed: int,
) -> Iterator[pd.DataFrame]:
    """What each part adds to the answer's lead over the other options, and to a wrong option's.

    Args:
        reasoner: the model.
        rollout: the engine that grew the sequence.
        unrolled: the sequence, up to the answer marker.
        asked: the batch's examples.
        head: columns that say which model and example a row is about, one row an example.
        seed: seed of the wrong option's draw.

    Yields:
        One frame a part and target. An example all of whose options begin alike has no row.
    """
    prompter = reasoner.prompter
    texts = [prompter.format.answer_texts(example.choices) for example in asked]
    width = max(map(len, texts))
    first = [[prompter.answer_ids(text)[0] for text in row] for row in texts]
    tokens = torch.tensor([row + row[:1] * (width - len(row)) for row in first])
    there = torch.tensor([[True] * len(row) + [False] * (width - len(row)) for row in first])
    found = attribute(rollout, unrolled, tokens.to(unrolled.kinds.device))
    every = torch.cat([found.shares, found.total[None]]).cpu()
    right = torch.tensor([example.choices.index(example.answer) for example in asked])
    drawn = [drawn_option(example, seed) for example in asked]
    wrong = torch.tensor([0 if option is None else option for option in drawn])
    lead, against = (_lead(every, tokens, there, option) for option in (right, wrong))
    for target, kind, logit in ((ANSWER, TARGET, lead), (OTHER_OPTION, CONTROL, against)):
        margin = lead - against if kind == TARGET else torch.full_like(lead, torch.nan)
        for i in range(len(every)):
            part = vars(found.parts[i]) if i < len(found.parts) else {"component": TOTAL}
            rows = head.assign(
                measure=ATTRIBUTION,
                **part,
                target=target,
                kind=kind,
                logit=logit[i].numpy(),
                margin=margin[i].numpy(),
            )
            yield rows[rows["logit"].notna()]


def _lead(
    shares: Float[Tensor, "parts batch options"],
    tokens: Int[Tensor, "batch options"],
    there: Bool[Tensor, "batch options"],
    option: Int[Tensor, " batch"],
) -> Float[Tensor, "parts batch"]:
    """An option's logit minus the mean of those that begin otherwise; NaN where none does."""
    own = option[:, None]
    others = there & (tokens != tokens.gather(1, own))
    mean = (shares * others).sum(-1) / others.sum(-1)
    return shares.gather(2, own.expand(len(shares), -1, -1))[..., 0] - mean
