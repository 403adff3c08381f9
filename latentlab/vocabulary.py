"""The words that flags, arms and tables share.

A module of its own because the command line needs them to answer `--help`, and everything else that
knows them is slow to import.
"""

from typing import Literal

LatentPart = Literal["latent_text", "latent_vision", "latent"]
"""What can be ablated: either part of the latent steps, or both together."""

Replacement = Literal["zero", "mean", "constant", "noise", "other", "placeholder"]
"""What can be put into the slots instead of latents (docs/controls.md)."""

SelectionRule = Literal["attention", "random", "bottom", "all", "none"]
"""How patches can be picked: most attended, at random, least attended, every one, none."""

AnswerMode = Literal["at_once", "free"]
"""Whether an answer must follow the latent steps, or the model may write something else first."""

KNOCK_OUT = "knock-out at inference"
"""Kind of an arm that takes something from a model whose weights stay as they are."""

CONTROL = "control"
"""Kind of an arm that differs from another only in what that one is claimed to show."""
