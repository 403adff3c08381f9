"""The words that flags, arms and tables share.

A module of its own because the command line needs them to answer `--help`, and everything else that
knows them is slow to import.
"""

from collections.abc import Sequence
from typing import Literal

LatentPart = Literal["latent_text", "latent_vision", "latent"]
"""What can be ablated: either part of the latent steps, or both together."""

LATENT_PARTS: tuple[LatentPart, ...] = ("latent_text", "latent_vision", "latent")
"""All of them."""

PARTS: dict[str, str] = {
    "latent_text": "latent text",
    "latent_vision": "latent vision",
    "latent": "latents",
}
"""The parts as sentences, tables and figures call them."""

AblatedPart = Literal[LatentPart, "rationale"]
"""What an ablation can act on: the latent steps, or a rationale that is written in words."""

WordReplacement = Literal["other", "permute", "reverse", "first", "placeholder"]
"""What words as well as latents can be replaced by (docs/controls.md)."""

Replacement = Literal[
    "zero",
    "mean",
    "constant",
    "noise",
    "matched_noise",
    "unit_noise",
    "norm_matched",
    "off_walk",
    "other_any",
    WordReplacement,
]
"""What can be put into the slots instead of latents (docs/controls.md)."""

StepContext = Literal["remade", "frozen"]
"""What the other steps hold while one is ablated: latents made anew, or their undisturbed ones."""

SelectionRule = Literal["attention", "random", "bottom", "all", "none"]
"""How patches can be picked: most attended, at random, least attended, every one, none."""

PositionRule = Literal["held", "closed", "kept"]
"""What becomes of position ids where slots are taken away or added: later ones stay where they
were (held, which leaves a hole, or lets slots share a position), they follow on (closed), or the
slots themselves stay, empty (kept)."""

AnswerMode = Literal["at_once", "free"]
"""Whether an answer must follow the latent steps, or the model may write something else first."""

VisionRun = Literal["own", "random", "kept", "held", "closed", "packed"]
"""What becomes of the patches that a step re-inserts while attention is read: the model's own, as
many at random, slots kept and empty, no slots and positions held, no slots and positions closed, or
its own in slots that take no positions of their own."""

OptionRead = Literal["gold", "likeliest"]
"""Whose tokens follow the latents when attention of the answer is read: the right option's, or
those of the option that the model finds likeliest."""

Reduction = Literal["mean", "layer", "head"]
"""What attention rows are averaged over: layers and heads, the heads of each layer, nothing."""

OWN_WAY = "own"
"""Name of the method that is none: a model asked in its own way."""

PerturbationName = Literal[
    "none",
    "other_image",
    "blank",
    "noise",
    "shuffle",
    "mask_needed",
    "mask_other",
    "relink",
    "restart",
    "shuffle_words",
]
"""How an example can be perturbed (docs/mediation.md)."""

DELETIONS: tuple[PerturbationName, ...] = ("blank", "mask_needed", "mask_other")
"""Perturbations that take evidence away and put no other in its place."""

MediatorName = Literal["latents", "slots"]
"""What mediation holds fixed: the vectors that a step appends, or all that their slots hold."""

StepSets = Literal["all", "each", "cumulative"]
"""Latent steps acted on: all of them, one at a time, or the first one, two, three."""

FROZEN = ", others frozen"
"""Ends the name of an arm in whose run the latents of all other steps are held."""

KNOCK_OUT = "knock-out at inference"
"""Kind of an arm that takes something from a model whose weights stay as they are."""

CONTROL = "control"
"""Kind of an arm that differs from another only in what that one is claimed to show."""

EMPTY = "slots kept, empty"
"""The control of leaving something out: its positions stay, without content."""

POSITION_ARMS: dict[PositionRule, str] = {
    "held": "positions held",
    "closed": "positions closed",
    "kept": EMPTY,
}
"""What the name of an arm ends with that removes the same as another under another rule."""

DonorRule = Literal["same_image", "unrelated", "same_answer", "self"]
"""Whose latents an interchange puts in (docs/interchange.md): the treatment and its controls."""

Donor = Literal[DonorRule, "counterfactual"]
"""The same, and the question itself on a picture in which one mark was changed."""

ShamName = Literal["self", "permuted", "other_question", "off_walk"]
"""Changes of a latent that say nothing about the answer (docs/interchange.md)."""

INTERCHANGE = "interchange"
"""Kind of an arm that runs on latents of another question."""

PairRule = Literal["auto", "same_image", "same_question", "unrelated"]
"""Which run is set against the clean one in activation patching (docs/patching.md)."""

PatchMode = Literal["restore", "corrupt"]
"""Patching clean activations into the corrupt run (denoising), or the reverse (noising)."""

PatchComponent = Literal["resid_post", "attn_out", "mlp_out", "z"]
"""What of a layer is patched, by TransformerLens's names."""

KnockoutName = Literal[
    "answer-latent",
    "answer-latent_text",
    "answer-latent_vision",
    "answer-image",
    "answer-prompt",
    "latent-image",
    "latent-prompt",
    "latent-earlier",
]
"""Attention that can be knocked out: who no longer sees whom (docs/patching.md)."""

PATCH = "activation patching"
"""Kind of a run in which an activation of another run is put in."""


Action = Literal[
    "none", "drop", "replace", "sham", "steps", "k", "select", "mask", "interchange", "other"
]
"""What an arm does: nothing, leave a part out, overwrite it, put back what it held, take another
number of steps or of patches, pick others, blank evidence, exchange latents, something else."""


def steps_label(steps: Sequence[int] | None) -> str:
    """Latent steps as tables name them: `all`, `2`, `1..3` for steps in a row, or `1, 3`."""
    if steps is None:
        return "all"
    first, last = steps[0], steps[-1]
    if len(steps) > 1 and tuple(steps) == tuple(range(first, last + 1)):
        return f"{first}..{last}"
    return ", ".join(map(str, steps))
