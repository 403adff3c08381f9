"""Calibrate the instruments: does each tell models apart whose truth is known by construction?

    python -m latentlab.calibrate
    python -m latentlab.calibrate --model path/to/checkpoint

Every instrument is pointed at organisms whose latents are necessary (`relay`: latent text, `gaze`:
latent vision), at organisms whose latents cannot matter (`bypass`: content without effect,
`filler`: no content), and then at models whose truth is not known. One that cannot tell a positive
from a negative control is reported as broken, and the command ends with exit code 1
(docs/calibration.md).
"""

from dataclasses import dataclass

from latentlab.command import CommonConfig
from latentlab.errors import UserError

EXIT_BROKEN = 1


@dataclass(frozen=True, kw_only=True)
class CalibrateConfig(CommonConfig):
    """Flags of `python -m latentlab.calibrate`."""

    model: tuple[str, ...] = ("ivtlr",)
    """Models whose truth is unknown, read beside the organisms on the same questions."""

    retrained: tuple[str, ...] = ()
    """Folders of further trainings of organisms or of these models, from other seeds; each is read
    as the model it is a training of."""

    limit: int = 100
    """Number of examples at most."""

    def __post_init__(self) -> None:
        """Refuse data without traces: the organisms answer the diagnostic benchmark alone."""
        super().__post_init__()
        if self.data.partition(":")[0] != "benchmark":
            raise UserError(
                f"--data {self.data}: instruments are calibrated on the diagnostic benchmark, the "
                "only one whose truth is known; leave --data out, or give benchmark with options"
            )
