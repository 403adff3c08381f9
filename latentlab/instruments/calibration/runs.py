"""Points every instrument at one model.

Rows are those of the instruments' own commands; nothing is measured here in a way of its own, or
the calibration would be of something else. Controls on the prompt are left out of the ablation: the
organisms are the control here, and those cost a prefix each.
"""

import dataclasses

import pandas as pd

from latentlab import lens, patch
from latentlab.ablate import REFERENCE, AblateConfig
from latentlab.data import load_data
from latentlab.instruments.ablation.evidence import Evidence
from latentlab.instruments.ablation.fitting import arms_of, fit
from latentlab.instruments.calibration.gauges import REPLACEMENTS, SIGMA, Instrument
from latentlab.instruments.interchange import swaps
from latentlab.instruments.mediation import mediating
from latentlab.instruments.patch.patching import Cell
from latentlab.instruments.probe.probing import collect, labels_of
from latentlab.interchange import InterchangeConfig
from latentlab.lens import LensConfig
from latentlab.measures.probes import INPUT, probe_grid
from latentlab.mediation import MediationConfig
from latentlab.patch import PatchConfig
from latentlab.reasoner import Reasoner
from latentlab.studies import Division, Kept, divide
from latentlab.study import Arm, run_arms
from latentlab.vocabulary import CONTROL, LatentPart

PROBED = 600
"""Questions of the probe: fewer than these, and no linear map of so many names can be learnt."""

Runs = dict[Instrument, pd.DataFrame]
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


def run_instruments(reasoner: Reasoner, settings: Settings) -> Runs:
    """Run every instrument on one model that has latent steps."""
    name = (reasoner.name,)
    common = {
        "model": name,
        "limit": settings.limit,
        "batch_size": settings.batch_size,
        "seed": settings.seed,
    }
    answerable, full = {**common, "data": settings.answerable}, {**common, "data": settings.full}
    asked = divide(settings.answerable, settings.seed, settings.limit, REFERENCE)
    also = divide(settings.full, settings.seed, settings.limit, REFERENCE)
    questions, few = Kept(asked.evaluated), Kept(also.evaluated)
    long = Kept(load_data(settings.full, seed=settings.seed, limit=PROBED))
    moved = MediationConfig(**full, perturb=("none", "other_image"), mediator=("latents",))  # type: ignore[arg-type]
    # The last hop is looked up after the last latent, so that no latent could carry it.
    middle = (max((question.hops or 1 for question in questions), default=1) + 1) // 2
    changed = {"perturb": ("none", "relink", "mask_needed"), "hop": (middle,)}
    effects = MediationConfig(**answerable, **changed, mediator=("latents",))  # type: ignore[arg-type]
    swapped = InterchangeConfig(**answerable, donor=("same_image", "self"), steps=("all",))  # type: ignore[arg-type]
    marks = {"donor": ("counterfactual",), "part": ("latent_vision",), "steps": ("all",)}
    edited = InterchangeConfig(**answerable, **marks)  # type: ignore[arg-type]
    patched = PatchConfig(**answerable, knockout=("answer-latent",))  # type: ignore[arg-type]
    return {
        "ablate": _ablate(reasoner, AblateConfig(**answerable, **_arms(reasoner)), asked),  # type: ignore[arg-type]
        "evidence": _evidence(reasoner, AblateConfig(**answerable, mask_evidence=True), questions),  # type: ignore[arg-type]
        "mediation": mediating.rows_of(effects, reasoner, questions, asked.references),
        "movement": mediating.rows_of(moved, reasoner, few, also.references),
        "interchange": swaps.rows_of(swapped, reasoner, questions),
        "flips": swaps.rows_of(edited, reasoner, questions),
        "patch": patch.rows_of(patched, reasoner, questions, _is_latent_as_fed_in),
        "lens": lens.rows_of(LensConfig(**answerable), reasoner, questions),  # type: ignore[arg-type]
        "latent lens": lens.rows_of(LensConfig(**full), reasoner, few),  # type: ignore[arg-type]
        "probe": _probe(reasoner, long, settings),
    }


def _arms(reasoner: Reasoner) -> dict[str, object]:
    """Flags of the ablation: everything that can be done to the parts a model has."""
    both: tuple[LatentPart, ...] = ("latent_text", "latent_vision")
    parts = tuple(part for part in both if reasoner.plan.has_part(part))
    return {"drop": parts, "replace": REPLACEMENTS, "part": parts, "sigma": (SIGMA,)}


def _ablate(reasoner: Reasoner, config: AblateConfig, asked: Division) -> pd.DataFrame:
    """Rows of the arms themselves and of the sham."""
    questions = Kept(asked.evaluated)
    fitted = fit(config, reasoner.plan, reasoner.name, lambda message: None)
    arms = [
        arm
        for arm in arms_of(config, reasoner, fitted, questions, asked.references)
        if arm.kind != CONTROL or arm.name.startswith("sham")
    ]
    return run_arms(
        reasoner, questions, arms, config.data, config.batch_size, config.seed, at_once=True
    )


def _evidence(reasoner: Reasoner, config: AblateConfig, questions: Kept) -> pd.DataFrame:
    """Rows of answers to pictures that lack the needed cell."""
    masked = Evidence.of(config, reasoner, questions)
    arms = [Arm(), *masked.arms]
    size, seed = config.batch_size, config.seed
    rows = run_arms(reasoner, questions, arms, config.data, size, seed, at_once=True)
    return masked.described(rows)


def _is_latent_as_fed_in(cell: Cell) -> bool:
    """Whether a patch puts in a latent itself, and nothing that layers made of it."""
    return cell.component == "resid_pre" and cell.slot.name.startswith(("text", "vision"))


def _probe(reasoner: Reasoner, questions: Kept, settings: Settings) -> pd.DataFrame:
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
