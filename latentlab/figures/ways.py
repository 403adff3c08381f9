"""The runs that set side by side what ways to answer write or feed back; see `studies`."""

from latentlab.ablate.config import AblateConfig
from latentlab.compare.ways import EMBEDDED
from latentlab.figures.experiment import Study
from latentlab.interchange.config import InterchangeConfig

CARRIED = Study(
    "carried",
    "interchange",
    InterchangeConfig(
        model=EMBEDDED,
        limit=300,
        batch_size=100,
        donor=("same_image", "self"),
        part=("latent",),
        steps=("all",),
    ),
    subject=False,
)
"""What a model writes or feeds back, exchanged for that of the same picture from another start."""

CARRIED_LOST = Study(
    "carried-lost",
    "ablate",
    AblateConfig(
        model=EMBEDDED,
        limit=300,
        batch_size=100,
        drop=("latent", "rationale"),
        replace=("other",),
        part=("latent", "rationale"),
    ),
    subject=False,
)
"""The same left out, and exchanged for another question's."""

MISLED = Study(
    "misled",
    "interchange",
    InterchangeConfig(
        model=tuple(name for name in ("capimagine", "coconut", "ivtlr") if name in EMBEDDED),
        limit=300,
        batch_size=100,
        donor=("counterfactual",),
        hop=(3,),
        part=("latent",),
        steps=("all",),
    ),
    subject=False,
)
"""Imagined text, and latents, of the same question on a picture in which hop 3 leads elsewhere."""
