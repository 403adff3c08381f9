"""Every check with its claim and its tolerance, and what running them gives: one row a check."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from latentlab.check import edits, engine, forward, gradients, tools
from latentlab.check.config import NAMES
from latentlab.check.material import Material, material_of
from latentlab.reasoner import Reasoner

HOLDS, DIFFERS, FAILED = "holds", "differs", "failed"
"""Verdicts: within the tolerance, beyond it, or stopped by an error."""


@dataclass(frozen=True)
class Check:
    """Two ways to the same numbers."""

    claim: str
    """What holds of a family that the engine drives rightly."""

    measure: Callable[[Material], float]
    """How far the two are apart at worst."""

    tolerance: float
    """How far they may be, in float32; 0 means equal to the bit."""


CHECKS: dict[str, Check] = {
    "image": Check("logits with a picture: own forward", forward.image, 1e-4),
    "text": Check("logits without a picture: own forward", forward.text, 1e-4),
    "gradients": Check("gradients: own forward", gradients.gradients, 1e-4),
    "through": Check("gradients through latents: recomputed", gradients.through, 1e-4),
    "attention": Check("captured rows: eager attention, sum 1", forward.attention, 1e-4),
    "cached": Check("cached: recomputed", engine.cached, 1e-4),
    "batched": Check("batched: one by one", engine.batched, 1e-4),
    "padded": Check("padded: unpadded", engine.padded, 1e-4),
    "zero": Check("interventions of zero size: none", edits.zero, 0.0),
    "own": Check("own activations put back: none", edits.own, 0.0),
    "components": Check("layer: attention and MLP added", edits.components, 1e-4),
    "transformer_lens": Check("through TransformerLens: engine", tools.transformer_lens, 0.0),
    "nnsight": Check("through nnsight: engine", tools.nnsight, 0.0),
}
"""Checks by the name that `--only` takes."""

assert tuple(CHECKS) == NAMES


def check(reasoner: Reasoner, only: Iterable[str] = (), seed: int = 0) -> pd.DataFrame:
    """Run checks on a model in float32, whatever its plan.

    Args:
        reasoner: the model; in other precisions tolerances mean nothing.
        only: names of the checks; all by default.
        seed: seed of the pictures.

    Returns:
        One row a check: `model, family, check, claim, difference, tolerance, verdict, reason`.
    """
    material = material_of(reasoner, seed)
    family = reasoner.backbone.model.config.model_type
    rows = []
    for name in list(only) or NAMES:
        one = CHECKS[name]
        difference, verdict, reason = _measured(one, material)
        about = {"model": reasoner.name, "family": family, "check": name, "claim": one.claim}
        told = {"difference": difference, "tolerance": one.tolerance}
        rows.append({**about, **told, "verdict": verdict, "reason": reason})
    return pd.DataFrame(rows)


def _measured(one: Check, material: Material) -> tuple[float, str, str]:
    """The difference, what it means, and what stopped the check, if anything did."""
    try:
        difference = one.measure(material)
    except Exception as error:  # whatever breaks is what the check is there to find
        return float("nan"), FAILED, f"{type(error).__name__}: {error}"
    return difference, HOLDS if difference <= one.tolerance else DIFFERS, ""
