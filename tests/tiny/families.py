"""A tiny model of every family, built from its real configuration class; one entry a family."""

from collections.abc import Callable

from latentlab.reasoner import Reasoner
from tests.tiny.chameleon import chameleon
from tests.tiny.qwen import qwen2_5_vl, qwen2_vl, qwen3_vl

TINY: dict[str, Callable[[], Reasoner]] = {
    "qwen2_vl": qwen2_vl,
    "qwen2_5_vl": qwen2_5_vl,
    "qwen3_vl": qwen3_vl,
    "chameleon": chameleon,
}
"""Makers by the `model_type` of their configuration."""
