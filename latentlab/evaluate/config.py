"""Evaluate models as they are: how often are they right, and at what cost?

    python -m latentlab.evaluate --model cot ivtlr --data benchmark:hops=1+4
    python -m latentlab.evaluate --model ivtlr --no-image

Models write freely, as they were trained to. With --no-image the same questions are asked once more
without their picture: what is still right then was never seen.

With --method questions become answers in other ways (docs/methods.md):

    python -m latentlab.evaluate --model PATH --data m3cot --method no_cot cot ccot
"""

from dataclasses import dataclass

from latentlab.command import PlannedConfig
from latentlab.errors import UserError


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(PlannedConfig):
    """Flags of `python -m latentlab.evaluate`."""

    no_image: bool = False
    """Ask all questions without their picture as well; latent steps then re-insert nothing."""

    max_new_tokens: int = 64
    """Tokens of an answer at most, the written rationale among them."""

    method: tuple[str, ...] | None = None
    """Ways to get from a question to an answer, such as no_cot, cot or ccot; by default the model's
    own. What a method writes before its answer has its own bound."""

    def __post_init__(self) -> None:
        """Refuse answers without room, and methods that are not there."""
        super().__post_init__()
        if self.method:
            from latentlab.methods import methods_of  # here, since it loads what runs models

            methods_of(self.method)
            if self.no_image:
                raise UserError("--no-image asks in the model's own way: give no --method with it")
        if self.max_new_tokens < 1:
            raise UserError(f"--max-new-tokens {self.max_new_tokens} is too small: at least 1")
