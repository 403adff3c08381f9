"""The runs that tables and figures are made of: one place for every setting.

Each is one command with its flags, so that anything in a figure can be run again by hand
(`Study.command_line`). Several figures read one study, and all are small enough that the whole set
runs in minutes on two cores with the embedded models.
"""

import dataclasses
from typing import get_args

from latentlab.ablate.config import AblateConfig
from latentlab.attention.config import AttentionConfig
from latentlab.calibrate.config import CalibrateConfig
from latentlab.calibrate.subjects import CANNOT_REASON, ONE_HOP
from latentlab.compare.config import CompareConfig
from latentlab.evaluate.config import EvaluateConfig
from latentlab.figures.experiment import Study
from latentlab.interchange.config import InterchangeConfig
from latentlab.lens.config import LensConfig
from latentlab.mediation.config import MediationConfig
from latentlab.patch.config import PatchConfig
from latentlab.probe.config import ProbeConfig
from latentlab.trace.config import TraceConfig
from latentlab.vocabulary import LATENT_PARTS, PatchMode, Replacement, VisionRun

REASONERS = ("ivtlr", "relay", "gaze")
"""Organisms that answer questions of four hops through latents."""

METHODS = ("no_cot", "cot", "cot_vision", "coconut", *REASONERS, "redundant", *CANNOT_REASON)
"""Organisms and the first twins, as methods to answer with."""


def _one_hop(study: Study) -> Study:
    """The same on organisms whose latents cannot matter, asked what one pass can answer."""
    config = dataclasses.replace(study.config, model=CANNOT_REASON, data=ONE_HOP)
    return Study(f"{study.name}-one-hop", study.command, config, subject=False)


ASKED = EvaluateConfig(model=METHODS, data="benchmark:hops=1+4", limit=2000, batch_size=100)
ANSWERS = Study("answers", "evaluate", ASKED)
"""Accuracy, autoregressive steps and time of every method."""

COMPARED = Study("compared", "compare", CompareConfig())
"""Every way to answer on equal terms: accuracy, cost and what it says to claims of papers."""

KNOCKOUTS = Study(
    "knockouts",
    "ablate",
    AblateConfig(
        model=(*REASONERS, "redundant"),
        limit=500,
        batch_size=100,
        drop=LATENT_PARTS,
        replace=("other", "placeholder"),
    ),
)
"""Parts left out, emptied, and exchanged for another question's."""

KNOCKOUTS_ONE_HOP = _one_hop(KNOCKOUTS)
"""The same on organisms whose latents cannot matter, asked what one pass can answer."""

CONTENTS: tuple[Replacement, ...] = (
    "zero", "mean", "constant", "other", "other_any", "off_walk", "permute", "first",
    "placeholder", "unit_noise", "matched_noise", "norm_matched",
)  # fmt: skip
"""Whatever can be put into slots in place of what they hold."""

REPLACEMENTS = Study(
    "replacements",
    "ablate",
    AblateConfig(
        model=REASONERS,
        limit=300,
        batch_size=100,
        replace=CONTENTS,
        part=LATENT_PARTS,
        noise_seeds=2,
    ),
)
"""Everything that can be put into the slots of a part, or of all at once."""

NOISE = Study(
    "noise",
    "ablate",
    AblateConfig(
        model=REASONERS,
        limit=300,
        batch_size=100,
        replace=("noise",),
        part=("latent_text", "latent_vision"),
        sigma=(0.0, 0.1, 0.3, 1.0, 2.0, 4.0),
        keep_norm=True,
        noise_seeds=2,
    ),
)
"""Noise of rising strength on each part, with the norm of the original."""

PATCHES = Study(
    "patches",
    "ablate",
    AblateConfig(
        model=("ivtlr",),
        limit=500,
        batch_size=100,
        select=("attention", "random", "bottom"),
        k="0..5",
    ),
)
"""Number and choice of the re-inserted patches, on one model."""

STEP_COUNTS = Study(
    "step-counts",
    "ablate",
    AblateConfig(model=("ivtlr", "coconut"), limit=500, batch_size=100, steps="0..4"),
)
"""Number of latent steps, on one model."""

RATIONALES = Study(
    "rationales",
    "ablate",
    AblateConfig(
        model=("cot",),
        limit=300,
        batch_size=100,
        replace=("other", "permute", "reverse", "first", "placeholder"),
        drop=("rationale",),
        part=("rationale",),
    ),
    subject=False,
)
"""The rationale of a chain of thought, corrupted as latents are: can the test detect use?"""

_WORDS = ("cot", "cot_vision")
ATTENTION = Study(
    "attention", "attention", AttentionConfig(model=REASONERS, explicit=_WORDS, limit=500)
)
"""Ratio, focus and where it looks, in latent and in explicit mode."""

ATTENTION_RUNS = Study(
    "attention-runs",
    "attention",
    AttentionConfig(model=("ivtlr",), explicit=_WORDS[1:], vision=get_args(VisionRun), limit=300),
)
"""The same with patches replaced, emptied, left out, and with positions held, closed and shared."""

ATTENTION_ANSWERS = Study(
    "attention-answers",
    "attention",
    AttentionConfig(model=(*REASONERS, "coconut"), explicit=(), vision=("own",), limit=300),
)
"""How much the answer attends to latents that it needs."""

ATTENTION_ANSWERS_ONE_HOP = Study(
    "attention-answers-one-hop",
    "attention",
    AttentionConfig(
        model=("ivtlr", "relay", "gaze", "coconut", *CANNOT_REASON),
        explicit=(),
        vision=("own",),
        data=ONE_HOP,
        limit=300,
    ),
    subject=False,
)
"""The same on questions that one pass can answer, and on latents that cannot matter."""

MEDIATION = Study(
    "mediation", "mediation", MediationConfig(model=REASONERS, limit=200, batch_size=200)
)
"""Effects of the input that run through the latents, by part."""

MEDIATION_STEPS = Study(
    "mediation-steps",
    "mediation",
    MediationConfig(
        model=REASONERS,
        limit=200,
        batch_size=200,
        perturb=("mask_needed", "restart"),
        mediator=("latents",),
        steps=("each", "cumulative"),
    ),
)
"""The same step by step, and cumulatively."""

INTERCHANGES = Study(
    "interchange", "interchange", InterchangeConfig(model=REASONERS, limit=200, batch_size=100)
)
"""Whose answer is given on another question's latents."""

COUNTERFACTUALS = Study(
    "counterfactual",
    "interchange",
    InterchangeConfig(
        model=(*REASONERS, "redundant"),
        limit=300,
        batch_size=100,
        donor=("counterfactual",),
        hop=(2, 4),
        steps=("each", "all"),
    ),
    subject=False,
)
"""One mark changed in the latents alone; only the benchmark can draw a picture again."""

COUNTERFACTUALS_ONE_HOP = Study(
    "counterfactual-one-hop",
    "interchange",
    InterchangeConfig(
        model=CANNOT_REASON,
        data=ONE_HOP,
        limit=300,
        batch_size=100,
        donor=("counterfactual",),
        steps=("all",),
    ),
    subject=False,
)
"""The same on organisms whose latents cannot matter."""

EVIDENCE = Study(
    "evidence",
    "ablate",
    AblateConfig(model=(*REASONERS, "redundant"), limit=300, batch_size=100, mask_evidence=True),
    subject=False,
)
"""What latents supply where the picture lacks it; needs traces."""

EVIDENCE_ONE_HOP = _one_hop(EVIDENCE)
"""The same on organisms whose latents cannot matter."""

PROBES = Study("probe", "probe", ProbeConfig(model=REASONERS, limit=2000, batch_size=200))
"""What latents hold, and how similar they are."""

LENSES = Study("lens", "lens", LensConfig(model=REASONERS, limit=500))
"""What the unembedding reads off latents, and where the answer's logit comes from."""

PATCHING = Study(
    "patching",
    "patch",
    PatchConfig(model=REASONERS, limit=200, batch_size=200, mode=get_args(PatchMode)),
)
"""Activation patching over layers and slots, and attention knock-outs."""

CALIBRATION = Study("calibration", "calibrate", CalibrateConfig(batch_size=100), subject=False)
"""Every instrument on the organisms whose truth is known."""

TRACES = Study("traces", "trace", TraceConfig())
"""Single answers, step by step, for the viewer of the report."""
