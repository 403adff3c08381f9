"""A tiny model of every family, built from its real configuration class; one entry a family."""

from collections.abc import Callable

from latentlab.reasoner import Reasoner
from tests.tiny.chameleon import chameleon, chameleon_swin
from tests.tiny.gemma3 import gemma3
from tests.tiny.qwen import qwen2_5_vl, qwen2_vl, qwen3_vl
from tests.tiny.tiles import idefics3, llava_onevision, smolvlm

TINY: dict[str, Callable[[], Reasoner]] = {
    "qwen2_vl": qwen2_vl,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen3_vl": qwen3_vl,
    "chameleon": chameleon,
    "llava_onevision": llava_onevision,
    "idefics3": idefics3,
    "smolvlm": smolvlm,
    "gemma3": gemma3,
}
"""Makers by the `model_type` of their configuration."""

VARIANTS: dict[str, Callable[[], Reasoner]] = {"chameleon 30B": chameleon_swin}
"""Makers of models of these families whose layers are built otherwise."""
