"""Patch activations and knock out attention: where does the answer come from, and by which way?

    python -m latentlab.patch
    python -m latentlab.patch --model ivtlr --mode restore corrupt --component attn_out mlp_out
    python -m latentlab.patch --model ivtlr --heads --component --knockout
    python -m latentlab.patch --component --knockout answer-latent answer-image --window 1

Each question is paired with one that has another answer. Activations of one run are put into the
other, a layer and a slot at a time, and attention of the run as it is is knocked out. An empty
--component or --knockout leaves that half out.
"""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.command import CommonConfig, run
from latentlab.errors import UserError
from latentlab.vocabulary import KnockoutName, PairRule, PatchComponent, PatchMode

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from latentlab.data import Examples
    from latentlab.instruments.patch.patching import Cell
    from latentlab.reasoner import Reasoner


@dataclass(frozen=True, kw_only=True)
class PatchConfig(CommonConfig):
    """Flags of `python -m latentlab.patch`."""

    model: tuple[str, ...] = ("ivtlr", "relay", "gaze")
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    limit: int = 200
    """Number of examples at most."""

    pair: PairRule = "auto"
    """What a question is paired with: same_image (asked from another start), same_question (about a
    picture one mark of which leads elsewhere) or unrelated; auto is same_image where the data has
    traces."""

    mode: tuple[PatchMode, ...] = ("restore",)
    """restore: put activations of the clean run into the corrupt run (denoising); corrupt: the
    reverse (noising)."""

    component: tuple[PatchComponent, ...] = ("resid_post",)
    """What is patched: resid_post (the residual stream after a layer), attn_out, mlp_out, or z (all
    heads before they are mixed)."""

    heads: bool = False
    """Also patch each head alone."""

    knockout: tuple[KnockoutName, ...] = (
        "answer-latent",
        "answer-image",
        "answer-prompt",
        "latent-image",
        "latent-prompt",
        "latent-earlier",
    )
    """Attention to knock out, as query-key: answer-latent keeps the answer from seeing the latents,
    latent-earlier each latent step from seeing the steps before it."""

    window: int = 0
    """Knock out not only in all layers, but also in every run of this many layers."""

    def __post_init__(self) -> None:
        """Refuse flags that contradict each other."""
        super().__post_init__()
        if not (self.component or self.heads or self.knockout):
            raise UserError("--component and --knockout are both empty, so nothing is left to do")
        if not self.mode:
            raise UserError("--mode names no mode: give restore, corrupt or both")
        if self.window < 0:
            raise UserError(f"--window {self.window} is too small: it is at least 0")
        if self.window and not self.knockout:
            raise UserError("--window goes with --knockout, which is empty")
        for flag in ("mode", "component", "knockout"):
            given = getattr(self, flag)
            if len(set(given)) < len(given):
                raise UserError(f"--{flag} names one thing twice: {' '.join(given)}")


def rows_of(
    config: PatchConfig,
    reasoner: "Reasoner",
    examples: "Examples",
    wanted: "Callable[[Cell], bool] | None" = None,
) -> "pd.DataFrame":
    """Run every cell and knock-out on one model.

    Args:
        config: the flags.
        reasoner: the model.
        examples: the clean questions, the first ones of `config.data`.
        wanted: which of the cells to patch; None takes them all.

    Returns:
        One row per pair and cell or knock-out, in the order of these and then of the examples; the
        columns are those of `readout.Readout.rows`, with `model` and `data`.

    Raises:
        UserError: the data has no such pairs.
    """
    import pandas as pd
    import torch

    from latentlab.console import track
    from latentlab.data import load_data
    from latentlab.instruments.patch.knockouts import applicable, knockout_rows
    from latentlab.instruments.patch.pairs import pairs_of
    from latentlab.instruments.patch.patching import Run, cells_of, patch_rows, random_places
    from latentlab.instruments.patch.readout import Readout, Row
    from latentlab.study import batches

    seed, size = config.seed, config.batch_size
    whole = load_data(config.data, seed=seed)
    pairs = pairs_of(config.pair, examples, reasoner.prompter, seed, whole)
    cells = cells_of(reasoner, config.component, config.heads)
    cells = [cell for cell in cells if wanted is None or wanted(cell)]
    names = applicable(config.knockout, reasoner.plan, bool(reasoner.prompter.marker_ids))
    # Every cell rests on the same pairs, so either all of them have a third question or none.
    control = all(pair.unrelated is not None for pair in pairs)
    found: list[Row] = []
    asked = [pair.clean for pair in pairs]
    with torch.no_grad():
        for numbered in track(batches(asked, size), reasoner.name, -(-len(asked) // size)):
            chosen = [pairs[i] for i, _ in numbered]
            places = random_places(reasoner.prompter, chosen, seed) if cells else []
            clean = Run(reasoner, [pair.clean for pair in chosen], cells, seed, places)
            corrupt = Run(reasoner, [pair.corrupt for pair in chosen], cells, seed, places)
            thirds = [pair.unrelated for pair in chosen if pair.unrelated is not None]
            third = Run(reasoner, thirds, cells, seed) if cells and control else None
            readout = Readout(chosen, clean.logits, corrupt.logits)
            new = list(patch_rows(clean, corrupt, third, readout, cells, config.mode, places))
            first = new[-1][0][0] + 1 if new else 0
            new += knockout_rows(reasoner, clean, readout, names, config.window, seed, first)
            found += [((number, numbered[i][0]), row) for (number, i), row in new]
    found.sort(key=lambda item: item[0])
    rows = [{"model": reasoner.name, "data": config.data, **row} for _, row in found]
    whole_numbers = dict.fromkeys(("hops", "layer", "layers", "head"), "Int64")
    return pd.DataFrame(rows).astype(whole_numbers)


def summary_of(rows: "pd.DataFrame", seed: int) -> "pd.DataFrame":
    """The lines of the tables (`measures.recovery.summary_of`)."""
    from latentlab.measures import recovery

    return recovery.summary_of(rows, seed)


def main(config: PatchConfig) -> None:
    """Run the study and say what it found."""
    from latentlab.console import note, show
    from latentlab.data import load_data
    from latentlab.instruments.patch.findings import conclusion, show_tables
    from latentlab.instruments.patch.knockouts import applicable
    from latentlab.instruments.patch.pairs import pairs_of, rule_for
    from latentlab.studies import run_study

    def check(reasoner: "Reasoner", examples: "Examples") -> None:
        if reasoner.plan.steps and reasoner.plan.content == "words":
            raise UserError(f"{reasoner.name} writes its steps in words: it has no slots to patch")
        whole = load_data(config.data, seed=config.seed)
        pairs = pairs_of(config.pair, examples, reasoner.prompter, config.seed, whole)
        if lost := len(examples) - len(pairs):
            note(f"{reasoner.name}: {lost} of {len(examples)} examples have no partner")
        if any(pair.unrelated is None for pair in pairs):
            note(f"{reasoner.name}: not every pair has an unrelated question, so no such control")
        if config.window > reasoner.backbone.n_layers:
            layers = reasoner.backbone.n_layers
            raise UserError(f"--window {config.window}: {reasoner.name} has {layers} layers")
        there = applicable(config.knockout, reasoner.plan, bool(reasoner.prompter.marker_ids))
        if lacking := [name for name in config.knockout if name not in there]:
            nothing = not (there or config.component or config.heads)
            message = f"--knockout {' '.join(lacking)}: {reasoner.name} has no such positions"
            if nothing and len(config.model) == 1:
                raise UserError(message)
            note(f"{message}; passed over")
        reasoner.prompter.batch([pairs[0].clean, pairs[0].corrupt], reasoner.plan)

    def rows(reasoner: "Reasoner", examples: "Examples") -> "pd.DataFrame":
        return rows_of(config, reasoner, examples)

    results, out = run_study(config, "patch", rows, check, summary_of)
    show_tables(results.summary)
    for sentence in conclusion(results.summary):
        show(sentence)
    rule = rule_for(config.pair, load_data(config.data, seed=config.seed, limit=1))
    show(
        f"Pairs: {rule.replace('_', ' ')}. Recovery is the share of the logit difference between "
        "the two answers that a patch brings over, with 95 % intervals; erasing one answer without "
        "bringing the other gives about 50 %. Answers are read right after the latent steps."
    )
    show(f"Rows, summary and settings are in {out}.")


if __name__ == "__main__":
    sys.exit(run(PatchConfig, main, "patch"))
