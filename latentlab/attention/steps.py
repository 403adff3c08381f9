"""Runs models and measures where each step attends: one row a step.

Rows say what went into them (query, layers, heads, number of keys in each bucket) and keep the
attention on every patch, so that tables and heat maps are made of rows alone.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latentlab.attention import pointing_score as pointing
from latentlab.attention import ratios as attention
from latentlab.attention.config import AttentionConfig
from latentlab.attention.modes import EDITS, Columns, identity
from latentlab.attention.queries import Query, queries
from latentlab.data import Example, Examples
from latentlab.reasoner import Reasoner
from latentlab.reasoning.trajectory import Patches, Trajectory
from latentlab.study.batches import Numbered, over_batches
from latentlab.vocabulary import VisionRun

POINTING = (
    "mass",
    "background",
    "enrichment",
    "points_at",
    "random_at",
    "bottom_at",
    "picked",
)
"""What is measured about the cell that is read, and about the one that it names."""


@torch.no_grad()
def step_rows(
    config: AttentionConfig, reasoner: Reasoner, examples: Examples, vision: VisionRun = "own"
) -> pd.DataFrame:
    """Measure one model's attention at every step.

    Args:
        config: `by`, `top`, `data`, `batch_size` and `seed` are read.
        reasoner: the model; its plan says whether it reasons in latents, in words, or not at all.
        examples: what to ask it.
        vision: what becomes of the patches that it re-inserts; what the plan says of it, the model
            has to bring (`modes.prepare`).

    Returns:
        One row per example, step and reduction, in the order of the examples (docs/attention.md
        lists the columns). Explicit steps that an example did not reach have no row.
    """
    grids: dict[tuple[int, int], tuple[int, int] | None] = {}

    def of_batch(numbered: Numbered) -> list[pd.DataFrame]:
        asked = [example for _, example in numbered]
        prompts = reasoner.batch(asked)
        layers = range(reasoner.backbone.n_layers)
        rollout = reasoner.rollout(seed=config.seed, capture_layers=layers)
        prefix = rollout.prefill(prompts)
        state = rollout.reason(prefix, EDITS[vision])
        answers = reasoner.decode(rollout, state, asked, max_new_tokens=1, at_once=True)
        head = {
            "order": [index for index, _ in numbered],
            **identity(config, reasoner, asked, vision),
            "correct_likelihood": [
                _right(example, answer.likeliest)
                for example, answer in zip(asked, answers, strict=True)
            ],
            **grid_columns(reasoner, asked, grids),
        }
        return [
            pd.DataFrame({**head, **columns})[query.reached.cpu().numpy()]
            for query in queries(prefix, state)
            for columns in measured(config, asked, rollout.table, state, query)
        ]

    found = over_batches(examples, config.batch_size, of_batch, reasoner.name)
    frame = pd.concat(chain(*found))
    frame = frame.sort_values(["order", "step"], kind="stable", ignore_index=True)
    types = {
        **dict.fromkeys(("hops", "grid_rows", "grid_columns", "cell_read", "cell_target"), "Int64"),
        **{f"{name}_{which}": "float64" for name in POINTING for which in ("read", "target")},
        "picked_chance": "float64",
        "correct_likelihood": "boolean",
    }
    return frame.drop(columns="order").astype(types)


def measured(
    config: AttentionConfig,
    asked: Sequence[Example],
    table: Bool[Tensor, "query key"],
    state: Trajectory,
    query: Query,
) -> Iterator[Columns]:
    """The columns of one query, once for each reduction."""
    members = attention.key_buckets(state.kinds[:, : query.rows.shape[-1]], table)
    patches = state.patches
    seen = patches.exists & members.any(-1).gather(1, patches.index)
    pointed = Pointed(asked, patches, seen, query, config.top, config.seed)
    for layers, heads, row in attention.reduce_rows(query.rows, state.layers, config.by):
        on_patches = row.gather(1, patches.index) * seen
        maps = [
            values[there].tolist() if there.any() else None
            for values, there in zip(on_patches, seen, strict=True)
        ]
        yield {
            "step": query.step,
            "query": query.name,
            "layers": layers,
            "heads": heads,
            **_key_columns(row, members),
            "patch_attention": maps,
            "picks": None if query.picks is None else query.picks.tolist(),
            **pointed.columns(on_patches),
        }


def _key_columns(
    row: Float[Tensor, "batch keys"], members: Bool[Tensor, "batch keys buckets"]
) -> Columns:
    """Mass of every bucket, ratio of every pair of key sets, focus within every set of patches."""
    found: dict[str, Tensor] = {"keys": members.any(-1).sum(-1)}
    for bucket, name in zip(attention.Bucket, attention.BUCKETS, strict=True):
        keys = members[..., bucket]
        found |= {f"n:{name}": keys.sum(-1), f"mass:{name}": attention.mass(row, keys)}
    for image_name, image_buckets in attention.IMAGE_KEYS.items():
        image = attention.keys_of(members, image_buckets)
        for text_name, text_buckets in attention.TEXT_KEYS.items():
            text = attention.keys_of(members, text_buckets)
            pair = f"{image_name}/{text_name}"
            ratio = attention.attention_ratio(row, image, text)
            null = attention.uniform_ratio(image, text)
            found |= {f"ratio:{pair}": ratio, f"uniform_ratio:{pair}": null}
            found[f"ratio_per_token:{pair}"] = ratio / null
        found |= {
            f"focus:{image_name}": attention.attention_focus(row, image),
            f"uniform_focus:{image_name}": attention.uniform_focus(image),
            f"entropy:{image_name}": attention.normalised_entropy(row, image),
        }
    return {name: _numbers(values) for name, values in found.items()}


class Pointed:
    """What a query has to look at, and whether attention and picks find it."""

    def __init__(
        self,
        asked: Sequence[Example],
        patches: Patches,
        seen: Bool[Tensor, "batch patches"],
        query: Query,
        top: int,
        seed: int,
    ) -> None:
        """Look up the cells that the step is about.

        Args:
            asked: the examples.
            patches: their patches.
            seen: the patches that the query may attend to.
            query: the query.
            top: how many of the most attended patches count as looked at.
            seed: seed of the random control.
        """
        self.top, self.exists, self.picks = top, patches.exists, query.picks
        hop = max(query.step - 1, 0)
        counted = list(zip(asked, patches.count.tolist(), strict=True))
        self.cells = {
            "read": [_cell(example, n, hop, 0) for example, n in counted],
            "target": [_cell(example, n, hop, 1) for example, n in counted],
        }
        device = seen.device
        self.known = torch.tensor([c is not None for c in self.cells["read"]], device=device)
        self.visible = self.known & seen.any(-1)
        names = [example.id for example in asked]
        self.random = pointing.at_random(self.exists, names, seed, query.step)

    def columns(self, on_patches: Float[Tensor, "batch patches"]) -> Columns:
        """Pointing, enrichment and picks for the cell that is read and for the one it names."""
        exists, count = self.exists, self.exists.sum(-1)
        found: Columns = {"top": self.top, "chance": _numbers((self.top / count).clamp(max=1))}
        # Without reuse, too, as many picks drawn at random hold a patch as often as this.
        picked = None if self.picks is None else (self.picks >= 0).sum(-1) / count
        found["picked_chance"] = None if picked is None else _numbers(picked)
        if not bool(self.known.any()):
            return found | {
                f"{n}_{which}": None for which in self.cells for n in (*POINTING, "cell")
            }
        order = pointing.by_attention(on_patches, exists)
        for which, cells in self.cells.items():
            cell = torch.tensor([c or 0 for c in cells], device=exists.device)
            measured = {
                "mass": on_patches.gather(1, cell[:, None])[:, 0],
                "background": pointing.background(on_patches, exists, cell),
                "enrichment": pointing.enrichment(on_patches, exists, cell),
                "points_at": pointing.points_at(order, exists, cell, self.top),
                "random_at": pointing.points_at(self.random, exists, cell, self.top),
                "bottom_at": pointing.points_at(order, exists, cell, self.top, last=True),
            }
            found[f"cell_{which}"] = cells
            for name, values in measured.items():
                found[f"{name}_{which}"] = _numbers(values, self.visible)
            hit = None if self.picks is None else (self.picks == cell[:, None]).any(-1)
            found[f"picked_{which}"] = None if hit is None else _numbers(hit, self.known)
        return found


def _cell(example: Example, patches: int, hop: int, ahead: int) -> int | None:
    """The cell of a hop, or of the one `ahead`, where the question asks so far and cells fit."""
    trace = example.trace
    if trace is None or len(trace.objects) != patches or hop >= (example.hops or 0):
        return None
    return trace.cells[hop + ahead]


def _right(example: Example, likeliest: int | None) -> bool | None:
    known = bool(example.choices and example.answer)
    return likeliest == example.choices.index(example.answer) if known else None


def grid_columns(
    reasoner: Reasoner,
    asked: Sequence[Example],
    known: dict[tuple[int, int], tuple[int, int] | None],
) -> Columns:
    """Rows and columns of each picture's patches, to draw a heat map from a row alone."""
    found: list[tuple[int | None, int | None]] = []
    for example in asked:
        if example.image is None:
            found.append((None, None))
            continue
        size = example.image.size
        if size not in known:
            (known[size],) = reasoner.backbone.prepare_images([example.image]).grids
        found.append(known[size] or (None, None))
    return {"grid_rows": [rows for rows, _ in found], "grid_columns": [c for _, c in found]}


def _numbers(values: Tensor, where: Tensor | None = None) -> Any:
    """As numpy; missing outside of `where`."""
    if where is not None:
        values = values.float().masked_fill(~where, torch.nan)
    return values.cpu().numpy() if values.dtype != torch.float32 else values.double().cpu().numpy()
