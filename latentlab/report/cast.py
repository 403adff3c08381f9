"""Who is on the page: one line on each model, and what is left of its answers without its latents.

Embedded models are described in the words of the organisms. Of a user's own model nothing is known
but its checkpoint, so that is what its line tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from latentlab.calibrate.subjects import ONE_HOP, ORGANISMS
from latentlab.checkpoint import ZOO, zoo_names
from latentlab.command import CommonConfig
from latentlab.data.benchmark import NUMBERS
from latentlab.figures.experiment import Study
from latentlab.figures.lines import METHODS
from latentlab.figures.studies import ANSWERS, KNOCKOUTS, KNOCKOUTS_ONE_HOP
from latentlab.measures.outcomes import NONE
from latentlab.measures.summary import ALL, totals
from latentlab.report.wording import share
from latentlab.study.provenance import checkpoint_hash
from latentlab.study.results import Results
from latentlab.training.purposes import PURPOSES

EXCHANGED = "other latent"
"""The arm that puts another question's latents in the place of a model's own."""

_COLUMNS = ("model", "data", "intervention", "control_of", "positions")

IN_QUESTION = "in question"
"""What a model is whose truth is not known."""


@dataclass(frozen=True)
class Member:
    """One model."""

    name: str
    """Its name."""

    role: str
    """What it is here for: in question, a positive or a negative control, or a twin."""

    line: str
    """What it is."""

    asked: str = ""
    """How many questions of what data it was asked."""

    alone: str = ""
    """How many it answers, in per cent with an interval."""

    exchanged: str = ""
    """The same on another question's latents."""

    bars: tuple[float, float] | None = None
    """Both as numbers, to draw."""


def cast(found: Mapping[str, Results]) -> list[Member]:
    """Every model that results are of: those in question first, then controls, then twins."""
    lines = knock_outs(found)
    members = []
    for name, (digest, plan) in _models(found).items():
        own = not embedded(name, digest)
        role = IN_QUESTION if own else _role(name)
        line = _facts(digest, plan) if own else METHODS[name]
        told = _numbers(lines[lines["model"] == name]) or _accuracy(found, name)
        members.append(Member(name, role, line, **told))
    order = (IN_QUESTION, "positive control", "negative control", "twin")
    return sorted(members, key=lambda one: order.index(one.role))


def in_question(found: Mapping[str, Results]) -> list[str]:
    """Models whose truth is not known; of organisms alone all that have latents."""
    models = _models(found)
    unknown = [
        name
        for name, (digest, plan) in models.items()
        if plan.get("steps", 1) and not (embedded(name, digest) and _role(name) != IN_QUESTION)
    ]
    return unknown or [name for name in models if name in ORGANISMS]


def knock_outs(found: Mapping[str, Results]) -> pd.DataFrame:
    """Lines of all knock-outs over all questions; none where they were not run."""
    there = [found[study.name] for study in (KNOCKOUTS, KNOCKOUTS_ONE_HOP) if study.name in found]
    # One's own runs may lie in folders of any name.
    there = there or [one for one in found.values() if one.run["command"] == KNOCKOUTS.command]
    if not there:
        return pd.DataFrame(columns=list(_COLUMNS))
    return pd.concat([totals(results.summary) for results in there])


def results_of(found: Mapping[str, Results], study: Study) -> Results | None:
    """Results of a study, or of the first run of its command; None where there are none."""
    alike = (one for one in found.values() if one.run["command"] == study.command)
    return found.get(study.name) or next(alike, None)


def embedded(name: str, digest: str) -> bool:
    """Whether a model is the one of that name that comes with the package."""
    return name in METHODS and _embedded_hashes().get(name) == digest


@cache
def _embedded_hashes() -> dict[str, str]:
    """Hash of each model that comes with the package."""
    return {name: checkpoint_hash(ZOO / name) for name in zoo_names()}


def _models(found: Mapping[str, Results]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Hash and plan of each model."""
    models: dict[str, tuple[str, dict[str, Any]]] = {}
    for results in found.values():
        plans = results.run.get("plans") or {}
        for name, digest in results.run["checkpoints"].items():
            models.setdefault(name, (digest, plans.get(name, {})))
    return models


def _role(name: str) -> str:
    """What an embedded model is here for, which the first words of its description say."""
    words = PURPOSES[name].lower()
    known = ("positive control", "negative control", "twin")
    return next((role for role in known if words.startswith(role)), IN_QUESTION)


def _facts(digest: str, plan: Mapping[str, Any]) -> str:
    """What a checkpoint tells of itself."""
    steps, k = plan.get("steps"), plan.get("k", 0)
    parts = [f"{k} patches of the image ({plan.get('select')})"] if k else []
    parts += ["its last hidden state"] if plan.get("text", True) else []
    told = f"takes {steps} latent steps, each of {' and '.join(parts)}; " if steps else ""
    told = "takes no latent steps; " if steps == 0 else told
    return f"{told}checkpoint {digest[:10]}"


def asked(line: "pd.Series[Any]") -> str:
    """How many questions a line is about, and of what."""
    data = str(line["data"])
    return f"{int(line['n']):,}{_ASKED.get(data, f' of {data}')}"


def _numbers(lines: pd.DataFrame) -> dict[str, Any]:
    """What a model answers when it is left alone, and on another question's latents."""
    alone = lines[lines["intervention"] == NONE]
    if alone.empty:
        return {}
    first = alone.iloc[0]
    told: dict[str, Any] = {
        "asked": asked(first),
        "alone": share(first),
    }
    for _, line in lines[lines["intervention"] == EXCHANGED].head(1).iterrows():
        bars = float(first["accuracy"]), float(line["accuracy"])
        told |= {"exchanged": share(line), "bars": bars}
    return told


def _accuracy(found: Mapping[str, Results], name: str) -> dict[str, Any]:
    """What a model answers of the questions of most hops, where nothing was taken from it."""
    if not (results := results_of(found, ANSWERS)) or "hops" not in results.summary:
        return {}
    lines = results.summary[(results.summary["model"] == name) & (results.summary["domain"] == ALL)]
    lines = lines.assign(asked=pd.to_numeric(lines["hops"], errors="coerce"))
    lines = lines[lines["asked"] == lines["asked"].max()].head(1)
    return {
        key: value
        for _, line in lines.iterrows()
        for key, value in (
            ("asked", f"{int(line['n']):,}, {NUMBERS[int(line['asked']) - 1]} hops"),
            ("alone", share(line)),
        )
    }


_ASKED = {ONE_HOP: ", one hop", CommonConfig.data: ", four hops"}
"""What data of the benchmark ask for."""
