"""Read latents in the model's own words: logit lens, nearest token, direct logit attribution.

    python -m latentlab.lens
    python -m latentlab.lens --model ivtlr coconut --data benchmark:domain=letters
    python -m latentlab.lens --model no_cot gaze --slots every

At every latent step and layer: which token comes first, and where the object of each hop and the
answer stand, next to objects and options that are wrong. Then the answer's logit is taken apart
into what attention brings from the image, the question and each latent step, and what MLPs add. A
model without latents is read at the last position of its prompt.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from latentlab.command import CommonConfig, run

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.data import Example, Examples
    from latentlab.reasoner import Reasoner


@dataclass(frozen=True, kw_only=True)
class LensConfig(CommonConfig):
    """Flags of `python -m latentlab.lens`."""

    model: tuple[str, ...] = ("ivtlr", "relay", "gaze")
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    slots: Literal["newest", "every"] = "newest"
    """Slots of a latent step to read: the newest, off which the next step is made, or every one."""


def rows_of(
    config: LensConfig, reasoner: "Reasoner", examples: "Sequence[Example]"
) -> "pd.DataFrame":
    """Rows of one model; see `lens_rows.read_all`."""
    from latentlab.instruments.lens.reading import read_all

    every = config.slots == "every"
    return read_all(reasoner, examples, config.data, every, config.batch_size, config.seed)


def summary_of(rows: "pd.DataFrame", seed: int = 0) -> "pd.DataFrame":
    """Lines of the tables; see `measures.readings.summarise_readings`."""
    from latentlab.measures.readings import summarise_readings

    return summarise_readings(rows, seed)


def check(reasoner: "Reasoner", examples: "Examples") -> None:
    """Look for what would only go wrong in the middle of a run.

    Raises:
        UserError: a picture has too few patches, or there are no traces where they are needed.
    """
    import torch

    from latentlab.reasoning.selection import check_patches
    from latentlab.studies import fewest_patches

    plan = reasoner.plan
    patches, name = fewest_patches(reasoner, examples)
    # Tokenizing tells whether there are traces to take given picks from, and whether they fit.
    given = reasoner.prompter.batch([examples[0]], plan).given_picks
    if given is None or not patches:
        check_patches(plan, [name], torch.tensor([patches]), given)


def main(config: LensConfig) -> None:
    """Run the study and say what it found."""
    from latentlab.console import show, warn
    from latentlab.instruments.lens.findings import conclusion, held_back, show_tables
    from latentlab.studies import run_study

    results, out = run_study(
        config,
        "lens",
        lambda reasoner, examples: rows_of(config, reasoner, examples),
        check,
        summary_of,
    )
    show_tables(results.summary)
    for sentence in conclusion(results.summary):
        show(sentence)
    for sentence in held_back(results.rows):
        warn(sentence)
    show(
        "A lens shows what can be read off a state, and attribution what is added directly; neither"
        " shows that the answer would change. 95 % intervals."
    )
    show(f"Rows, summary and settings are in {out}.")


if __name__ == "__main__":
    sys.exit(run(LensConfig, main, "lens"))
