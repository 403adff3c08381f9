"""Mediation by hand: Y(input, latents) of four runs, and Pearl's differences between them."""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import torch

from latentlab.data import Benchmark, load_data
from latentlab.data.perturb import Surroundings, perturbations
from tests.independent.rollout import Latent

pytestmark = pytest.mark.slow

HOP = 2
"""Hop whose mark is changed."""

FIELDS = {
    "latent_text": ("text",),
    "latent_vision": ("vision",),
    "latent": ("text", "vision"),
}
"""Fields of a latent that a part means."""

CASES = [
    ("ivtlr", "latents", "latent_text"),
    ("ivtlr", "latents", "latent_vision"),
    ("ivtlr", "latents", "latent"),
    ("ivtlr", "slots", "latent_text"),
    ("ivtlr", "slots", "latent_vision"),
    ("relay", "slots", "latent_text"),
    ("gaze", "slots", "latent"),
]
"""Model, mediator and part."""


@pytest.fixture(scope="session")
def relinked(asked):
    """The same questions, one mark of the picture naming another object; None where none can."""
    around = Surroundings(asked(), lambda example: (4, 4), Benchmark(), seed=0)
    (edit,) = perturbations(("relink",), around, hops=(HOP,))
    return [edit.edit(example) for example in asked()]


@pytest.fixture(scope="session")
def disturbed(plain, relinked):
    """Rollouts by hand on the changed pictures."""
    return lru_cache(lambda name: [new and plain(name).rollout(new) for new in relinked])


@pytest.fixture(scope="session")
def unmixed(plain, asked, untouched, disturbed):
    """Log-likelihoods of the options in the two runs that take nothing from each other."""

    @lru_cache
    def scores(name):
        runs, found = zip(asked(), untouched(name), disturbed(name), strict=True), {}
        for example, clean, other in runs:
            both = {"clean": clean, "perturbed": other} if other else {}
            found[example.id] = {
                how: plain(name).option_logprobs(run, example.choices) for how, run in both.items()
            }
        return found

    return scores


@pytest.fixture(scope="session")
def mediated(rows_of, asked):
    """Rows of one model."""
    n = len(asked())
    others = [*load_data("benchmark", limit=n + 4)[n:]]
    flags = ("--perturb", "relink", "--hop", str(HOP))
    return lru_cache(lambda name: rows_of("mediation", name, *flags, references=others))


def taking(model, example, other, mediator, part):
    """A run on an example whose mediator is as it was in another run.

    `latents` are the vectors that steps append; `slots` also what every layer computes there.
    """
    fields = FIELDS[part]

    def edit(step: int, latent: Latent) -> Latent:
        theirs = other.latents[step]
        vision = theirs.vision if "vision" in fields else latent.vision
        return Latent(vision, theirs.text if "text" in fields else latent.text)

    forced = {}
    if mediator == "slots":
        states = model.forward(other)
        kinds = {"text": "latent_text", "vision": "latent_vision"}
        for i, (kind, clock) in enumerate(zip(other.kinds, other.clocks, strict=True)):
            if kind not in [kinds[name] for name in fields]:
                continue
            place = i - other.at(clock, -1) - 1
            for layer, value in enumerate(states.resid[1:]):
                forced["resid_post", layer, clock, place] = value[i]
    return model.rollout(example, edit, forced=forced)


@pytest.mark.parametrize(("name", "mediator", "part"), CASES)
def test_effects_are_differences_of_four_runs(
    name,
    mediator,
    part,
    plain,
    asked,
    untouched,
    relinked,
    disturbed,
    unmixed,
    mediated,
    log_odds,
    nats,
):
    model, rows = plain(name), mediated(name)
    chosen = (rows["measure"] == "effect") & (rows["perturbation"] == "relink")
    chosen &= (rows["mediator"] == mediator) & (rows["part"] == part) & (rows["steps"] == "all")
    rows = rows[chosen].set_index(["example", "outcome"])
    assert rows.index.get_level_values("example").nunique() == sum(map(bool, relinked)) > 0
    runs = zip(asked(), relinked, untouched(name), disturbed(name), strict=True)
    for example, changed, clean, other in runs:
        if changed is None:
            continue
        mixed = {
            "direct": taking(model, changed, clean, mediator, part),
            "indirect": taking(model, example, other, mediator, part),
        }
        scores = {how: model.option_logprobs(run, example.choices) for how, run in mixed.items()}
        scores |= unmixed(name)[example.id]
        answer = int(np.argmax(scores["clean"]))
        y = {how: log_odds(values, answer) for how, values in scores.items()}
        told = rows.loc[example.id, "log_odds"]
        for how, value in y.items():
            assert told[f"y_{how}"] == pytest.approx(value, abs=2 * nats)
        assert told["te"] == pytest.approx(y["perturbed"] - y["clean"], abs=4 * nats)
        assert told["nde"] == pytest.approx(y["direct"] - y["clean"], abs=4 * nats)
        assert told["nie"] == pytest.approx(y["indirect"] - y["clean"], abs=4 * nats)
        assert told["tie"] == pytest.approx(y["perturbed"] - y["direct"], abs=4 * nats)
        assert told["hop"] == HOP
        leads = example.trace.links[changed.trace.cells[0]]
        assert leads == changed.trace.cells[1], "the first hop is as it was"
        walked = changed.trace.objects[changed.trace.follow(changed.trace.cells[0], example.hops)]
        for how, values in scores.items():
            likeliest = int(np.argmax(values))
            assert rows.loc[example.id, "flip"][f"y_{how}"] == (likeliest != answer)
            follows = example.choices[likeliest] == walked
            assert rows.loc[example.id, "follows"][f"y_{how}"] == follows


@pytest.mark.parametrize("name", ["ivtlr", "relay"])
def test_both_indirect_effects_are_given_as_shares_of_the_total_one(name, mediated, summary_of):
    """Ratios of means: NIE / TE, and (TE - NDE) / TE, what keeping the latents averts."""
    rows, key = mediated(name), ["mediator", "part", "steps"]
    own = rows[(rows["perturbation"] == "relink") & (rows["outcome"] == "log_odds")]
    summary = summary_of("mediation", own)
    lines = summary[(summary["domain"] == "all") & (summary["hop"] == str(HOP))]
    assert len(lines) == own.groupby(key).ngroups > 0
    for _, line in lines.iterrows():
        group = own[(own[key] == line[key]).all(axis=1)]
        means = {name: group[f"y_{name}"].mean() for name in ("clean", "perturbed", "direct")}
        total = means["perturbed"] - means["clean"]
        pure = group["y_indirect"].mean() - means["clean"]
        averted = total - (means["direct"] - means["clean"])
        assert line["n"] == len(group)
        assert line["nie"] == pytest.approx(pure)
        assert line["tie"] == pytest.approx(averted)
        if pd.isna(line["share_note"]) or not line["share_note"]:
            assert line["nie_share"] == pytest.approx(pure / total)
            assert line["tie_share"] == pytest.approx(averted / total)


def test_latents_move_by_so_many_standard_deviations_of_others(
    plain, asked, untouched, relinked, disturbed, mediated
):
    """Of latent text, step by step; spread and mean are those of questions not evaluated.

    Distances are ratios of float32 vectors; a thousandth is ten times what they differ by.
    """
    model, rows, n = plain("ivtlr"), mediated("ivtlr"), len(asked())
    others = [model.rollout(one) for one in load_data("benchmark", limit=n + 4)[n:]]
    told = rows[(rows["measure"] == "movement") & (rows["perturbation"] == "relink")]
    told = told[told["part"] == "latent_text"].set_index(["example", "steps"])
    for example, changed, clean, other in zip(
        asked(), relinked, untouched("ivtlr"), disturbed("ivtlr"), strict=True
    ):
        for step in range(3) if changed else ():
            a, b = clean.latents[step].text, other.latents[step].text
            of = torch.stack([run.latents[step].text for run in others])
            line = told.loc[(example.id, str(step + 1))]
            moved = ((b - a) / of.std(0)).square().mean().sqrt()
            assert line["sd"] == pytest.approx(float(moved), rel=1e-3, abs=1e-3)
            for name, centre in (("cosine", 0 * of.mean(0)), ("centred", of.mean(0))):
                x, y = a - centre, b - centre
                distance = 1 - float(x @ y / (x.norm() * y.norm()))
                assert line[name] == pytest.approx(distance, abs=1e-3)
