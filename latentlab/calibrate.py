"""Calibrate the instruments: does each tell models apart whose truth is known by construction?

    python -m latentlab.calibrate
    python -m latentlab.calibrate --model path/to/checkpoint

Every instrument is pointed at organisms whose latents are necessary (`relay`: latent text, `gaze`:
latent vision), at organisms whose latents cannot matter (`bypass`: content without effect, `filler`:
no content), and then at a model whose truth is not known. One that cannot tell a positive from a
negative control is reported as broken, and the command ends with exit code 1 (docs/calibration.md).
"""

import sys
from dataclasses import dataclass

from latentlab.command import CommonConfig, run


@dataclass(frozen=True, kw_only=True)
class CalibrateConfig(CommonConfig):
    """Flags of `python -m latentlab.calibrate`."""

    model: tuple[str, ...] = ("ivtlr",)
    """Models whose truth is unknown, read beside the organisms on the same questions."""

    limit: int = 200
    """Number of examples at most."""


def main(config: CalibrateConfig) -> None:
    """Read every instrument on every organism and say which are to be trusted."""


if __name__ == "__main__":
    sys.exit(run(CalibrateConfig, main, "calibrate"))
