"""The latent steps of every arm: what each looks at and picks, and the latents it leaves.

Answers come from the one runner, which keeps no attention. Here the same arms go through their
latent steps once more with attention captured, so that whatever is shown beside an answer belongs
to the run that gave it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.attention.config import AttentionConfig
from latentlab.attention.modes import identity
from latentlab.attention.queries import queries
from latentlab.attention.steps import grid_columns, measured
from latentlab.data import Examples
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import applied
from latentlab.reasoning.trajectory import Trajectory
from latentlab.study.arms import Arm
from latentlab.study.batches import Numbered, over_batches

LOOKED = (
    "step",
    "query",
    "grid_rows",
    "grid_columns",
    "patch_attention",
    "picks",
    "cell_read",
    "cell_target",
    *(f"{n}:{keys}/text" for keys in ("image", "reinserted") for n in ("ratio", "uniform_ratio")),
    *(f"{n}:{keys}" for keys in ("image", "reinserted") for n in ("focus", "uniform_focus")),
)
"""Columns taken over from the attention instrument (docs/attention.md)."""

WHOLE = ("grid_rows", "grid_columns", "cell_read", "cell_target")
"""Columns of whole numbers, which may be missing."""

Fed = Float[Tensor, "examples hidden"] | None
"""What one part of a step feeds in; None where it is left out."""


@dataclass(frozen=True, eq=False)
class Runs:
    """The latent steps of some examples in every arm."""

    rows: pd.DataFrame
    """One row per example, arm and step: who, `intervention`, and the columns `LOOKED`."""

    text: dict[tuple[str, int], Fed]
    """By arm and step, counted from 1: the latent texts in the order of the examples."""

    vision: dict[tuple[str, int], Fed]
    """The same of the mean of the re-inserted patches."""


@torch.no_grad()
def run_steps(
    config: AttentionConfig, reasoner: Reasoner, examples: Examples, arms: Sequence[Arm]
) -> Runs:
    """Take the latent steps of every example in every arm, with attention captured.

    Args:
        config: `data`, `batch_size` and `seed` are read.
        reasoner: a model with latent steps.
        examples: what to ask it.
        arms: what to do to it; none changes the plan or the input.
    """
    grids: dict[tuple[int, int], tuple[int, int] | None] = {}

    def of_batch(numbered: Numbered) -> list[tuple[str, list[int], pd.DataFrame, Latents]]:
        asked = [example for _, example in numbered]
        prompts = reasoner.batch(asked)
        rollout = reasoner.rollout(
            seed=config.seed, capture_layers=range(reasoner.backbone.n_layers)
        )
        whole = rollout.prefill(prompts)
        own = Bank.of(prompts.examples, [rollout.reason(whole).latents])
        numbers = [number for number, _ in numbered]
        about = identity(config, reasoner, asked, "own")
        head = {"order": numbers, **about, **grid_columns(reasoner, asked, grids)}
        found = []
        for arm in arms:
            with applied(rollout, arm.interventions):
                edits = arm.prompt_edits
                prefix = rollout.prefill(prompts, edits) if edits else whole
                state = rollout.reason(prefix, arm.interventions, own)
            rows = [
                pd.DataFrame({**head, "intervention": arm.name, **columns})
                for query in queries(prefix, state)
                for columns in measured(config, asked, rollout.table, state, query)
            ]
            found.append((arm.name, numbers, pd.concat(rows), list(_fed(state))))
        return found

    batches = over_batches(examples, config.batch_size, of_batch, f"{reasoner.name}: steps")
    frame = pd.concat(rows for batch in batches for _, _, rows, _ in batch)
    place = {arm.name: number for number, arm in enumerate(arms)}
    frame = frame.assign(arm=frame["intervention"].map(place))
    frame = frame.sort_values(["arm", "order", "step"], kind="stable", ignore_index=True)
    kept = frame[[*about_columns(frame), *LOOKED]].astype(dict.fromkeys(WHOLE, "Int64"))
    return Runs(
        kept,
        *({(arm, step): values for arm, step, values in _joined(batches, part)} for part in (0, 1)),
    )


def about_columns(frame: pd.DataFrame) -> list[str]:
    """The columns that say whose row it is."""
    known = ("model", "data", "example", "domain", "topic", "hops", "question_type", "intervention")
    return [name for name in known if name in frame]


Latents = list[tuple[Fed, Fed]]
"""Text and vision of every step of a batch."""


def _fed(state: Trajectory) -> Iterator[tuple[Fed, Fed]]:
    """What each step feeds in: its text, and the mean of its patches without padding."""
    for latent in state.latents:
        mean = None
        if latent.vision is not None and latent.vision.shape[1]:
            real = torch.ones_like(latent.vision[..., :1])
            if latent.picks is not None:
                real = (latent.picks >= 0)[..., None].to(real)
            mean = (latent.vision * real).sum(1) / real.sum(1)
        yield latent.text, mean


def _joined(
    batches: Sequence[list[tuple[str, list[int], pd.DataFrame, Latents]]], part: int
) -> Iterator[tuple[str, int, Fed]]:
    """The vectors of one part of all batches, by arm and step, in the order of the examples."""
    for of_arm in zip(*batches, strict=True):
        order = torch.tensor([number for _, numbers, _, _ in of_arm for number in numbers])
        steps = zip(*(latents for *_, latents in of_arm), strict=True)
        for step, parts in enumerate(steps, start=1):
            vectors = [one[part] for one in parts]
            there = [vector for vector in vectors if vector is not None]
            whole = torch.cat(there) if len(there) == len(vectors) else None
            yield of_arm[0][0], step, None if whole is None else whole[order.argsort()]
