"""Patch activations and knock out attention: where does the answer come from, and by which way?

    python -m latentlab.patch
    python -m latentlab.patch --model ivtlr --mode restore corrupt --component attn_out mlp_out
    python -m latentlab.patch --model ivtlr --heads --component --knockout
    python -m latentlab.patch --component --knockout answer-latent answer-image --window 1

Each question is paired with one that has another answer. Activations of one run are put into the
other, a layer and a slot at a time, and attention of the run as it is is knocked out. An empty
--component or --knockout leaves that half out.
"""

from dataclasses import dataclass

from latentlab.command import PlannedConfig
from latentlab.errors import UserError
from latentlab.vocabulary import KnockoutName, PairRule, PatchComponent, PatchMode


@dataclass(frozen=True, kw_only=True)
class PatchConfig(PlannedConfig):
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
