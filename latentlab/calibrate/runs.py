"""Points every instrument at one model.

Rows are those of the instruments' own commands; nothing is measured here in a way of its own, or
the calibration would be of something else. Controls on the prompt are left out of the ablation: the
organisms are the control here, and those cost a prefix each.
"""

import dataclasses

import pandas as pd

from latentlab.ablate import rows as ablate
from latentlab.ablate.config import REFERENCE, AblateConfig
from latentlab.calibrate.gauges import REPLACEMENTS, SIGMA, RunName
from latentlab.command import CommonConfig
from latentlab.data import CachedExamples, load_data
from latentlab.interchange.config import InterchangeConfig
from latentlab.lens.config import LensConfig
from latentlab.mediation.config import MediationConfig
from latentlab.patch import rows as patch
from latentlab.patch.cells import Cell
from latentlab.patch.config import PatchConfig
from latentlab.probe.features import collect, labels_of
from latentlab.probe.probes import INPUT, probe_grid
from latentlab.reasoner import Reasoner
from latentlab.study.division import divide
from latentlab.study.instrument import Subject, instrument
from latentlab.study.run import run_arms
from latentlab.vocabulary import CONTROL, LatentPart

PROBED = 600
"""Questions of the probe: fewer than these, and no linear map of so many names can be learnt."""

InstrumentRows = dict[RunName, pd.DataFrame]
"""Rows of each instrument on one model."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the instruments are run with."""

    full: str
    """Data whose questions need several steps: what do latents hold?"""

    answerable: str
    """Data that the model can answer, so that it has something to lose: do answers need latents?"""

    limit: int
    """Examples at most."""

    batch_size: int
    """Examples in one forward pass."""

    seed: int
    """Seed of everything that is drawn."""


def run_instruments(reasoner: Reasoner, settings: Settings) -> InstrumentRows:
    """Run every instrument on one model that has latent steps."""
    common = {
        "model": (reasoner.name,),
        "limit": settings.limit,
        "batch_size": settings.batch_size,
        "seed": settings.seed,
    }
    answerable, full = {**common, "data": settings.answerable}, {**common, "data": settings.full}
    asked = _subject(reasoner, settings.answerable, settings)
    also = _subject(reasoner, settings.full, settings)
    long = CachedExamples(load_data(settings.full, seed=settings.seed, limit=PROBED))
    moved = MediationConfig(**full, perturb=("none", "other_image"), mediator=("latents",))  # type: ignore[arg-type]
    # The last hop is looked up after the last latent, so that no latent could carry it.
    middle = (max((question.hops or 1 for question in asked.examples), default=1) + 1) // 2
    changed = {"perturb": ("none", "relink", "mask_needed"), "hop": (middle,)}
    effects = MediationConfig(**answerable, **changed, mediator=("latents",))  # type: ignore[arg-type]
    swapped = InterchangeConfig(**answerable, donor=("same_image", "self"), steps=("all",))  # type: ignore[arg-type]
    marks = {"donor": ("counterfactual",), "part": ("latent_vision",), "steps": ("all",)}
    edited = InterchangeConfig(**answerable, **marks)  # type: ignore[arg-type]
    masked = AblateConfig(**answerable, mask_evidence=True)  # type: ignore[arg-type]
    return {
        "ablate": _ablate(asked, AblateConfig(**answerable, **_arms(reasoner))),  # type: ignore[arg-type]
        "evidence": instrument("ablate").measure(masked, asked),
        "mediation": instrument("mediation").measure(effects, asked),
        "movement": instrument("mediation").measure(moved, also),
        "interchange": instrument("interchange").measure(swapped, asked),
        "flips": instrument("interchange").measure(edited, asked),
        "patch": _patch(asked, PatchConfig(**answerable, knockout=("answer-latent",))),  # type: ignore[arg-type]
        "lens": instrument("lens").measure(LensConfig(**answerable), asked),  # type: ignore[arg-type]
        "latent lens": instrument("lens").measure(LensConfig(**full), also),  # type: ignore[arg-type]
        "probe": _probe(reasoner, long, settings),
    }


def _subject(reasoner: Reasoner, data: str, settings: Settings) -> Subject:
    """A model and some data; what either lacks is left out without a word."""
    asked = divide(CommonConfig(data=data, seed=settings.seed, limit=settings.limit), REFERENCE)
    return Subject(reasoner, asked.evaluated, asked.references, _silent, _silent)


def _silent(message: str) -> None:
    """Tell nothing: an organism is expected to lack what it lacks."""


def _arms(reasoner: Reasoner) -> dict[str, object]:
    """Flags of the ablation: everything that can be done to the parts a model has."""
    both: tuple[LatentPart, ...] = ("latent_text", "latent_vision")
    parts = tuple(part for part in both if reasoner.plan.has_part(part))
    return {"drop": parts, "replace": REPLACEMENTS, "part": parts, "sigma": (SIGMA,)}


def _ablate(asked: Subject, config: AblateConfig) -> pd.DataFrame:
    """Rows of the arms themselves and of the sham."""
    found = ablate.prepare(config, asked)
    assert found is not None, "every model that is calibrated on has a part to ablate"
    arms = [
        arm
        for arm in ablate.arms_of(config, asked, found)
        if arm.kind != CONTROL or arm.action == "sham"
    ]
    size, seed = config.batch_size, config.seed
    return run_arms(asked.reasoner, asked.examples, arms, config.data, size, seed, at_once=True)


def _patch(asked: Subject, config: PatchConfig) -> pd.DataFrame:
    """Rows of latents as they are fed in, and of the knock-out."""
    prepared = patch.prepare(config, asked)
    assert prepared is not None, "every model that is calibrated on is asked in one call"
    fed_in = [cell for cell in prepared.cells if _is_latent_as_fed_in(cell)]
    return patch.rows_of(config, asked, dataclasses.replace(prepared, cells=fed_in))


def _is_latent_as_fed_in(cell: Cell) -> bool:
    """Whether a patch puts in a latent itself, and nothing that layers made of it."""
    return cell.component == "resid_pre" and cell.slot.step is not None


def _probe(reasoner: Reasoner, questions: CachedExamples, settings: Settings) -> pd.DataFrame:
    """Probes of the latents as they are fed in, for the object of each hop."""
    asked = [questions[i] for i in range(len(questions))]
    layers, size, seed = (0,), settings.batch_size, settings.seed
    features = collect(reasoner, asked, layers, size, seed).features
    fed_in = {
        spot: values
        for spot, values in features.items()
        if spot.place == "latent_text" and spot.layer == INPUT
    }
    objects = {name: of for name, of in labels_of(asked)[0].items() if name.startswith("object")}
    domains = [example.domain for example in asked]
    grid = probe_grid(fed_in, objects, domains, seed)
    names = pd.Series([example.id for example in asked])
    return grid.assign(kind="probe", example=names.reindex(grid["index"]).to_numpy())
