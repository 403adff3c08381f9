"""Small results about answers and ablations, made up here.

Arms differ in how many answers are right, so a number that is drawn in the wrong place shows.
"""

import re

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from latentlab.evaluate.summary import summary_of as answer_lines
from latentlab.figures import studies
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from latentlab.figures.style import RC
from latentlab.measures.summary import by_domain
from latentlab.study.provenance import resolve
from latentlab.study.results import read_results, write_results
from latentlab.vocabulary import CONTROL, EMPTY, KNOCK_OUT, POSITION_ARMS
from tests.named import named
from tests.records import UNTOLD

N = 20
PROMPT = "on unneeded prompt positions"
CLOSED, HELD = POSITION_ARMS["closed"], POSITION_ARMS["held"]
DIFFERENCE = "the difference empty"
BOTH = ("latent_text", "latent_vision", "latent")
TEXT = ("latent_text", "latent")


def positions_of(arm):
    """What becomes of positions in an arm of a model of three steps and two patches."""
    what, _, way = arm.partition(": ")
    resized = re.search(r"^drop|^k=0|k=[1345]|^steps=[012]", what)
    natural = "closed" if what.startswith("steps") else "held"
    ways = {"": natural, CLOSED: "closed", HELD: "held", EMPTY: "kept", DIFFERENCE: "kept"}
    return ways.get(way, "") if resized else ""


def rows_of(model, arms, data="benchmark", hops=(4,), known=True, steps=3):
    """Rows of one model; `arms` maps names to how many of N answers are right."""
    rows = []
    for arm, right in {"none": 18, **arms}.items():
        way = arm.partition(": ")[2]
        control = way not in ("", CLOSED, HELD) or arm.startswith("sham")
        kind = "none" if arm == "none" else CONTROL if control else KNOCK_OUT
        facts = named(arm, kind, positions_of(arm)).facts
        for i in range(N):
            rows.append(
                {
                    "model": model,
                    "data": data,
                    "example": f"e{i}",
                    "domain": ("letters", "digits")[i % 2] if known else "",
                    "topic": ("sans", "dark")[i % 2] if known else "",
                    "hops": hops[i // 2 % len(hops)] if known else None,
                    "question_type": "chain" if known else "",
                    **facts,
                    "seed": 0,
                    "options": 4,
                    "correct": i < right,
                    "correct_likelihood": i < right,
                    "correct_lenient": pd.NA,
                    "autoregressive_steps": steps + len(model),
                    "latent_steps": steps,
                    "new_tokens": 3,
                    "seconds": 0.01 * len(model),
                    "flip": i >= right,
                    "log_odds_change": -float(i >= right),
                    "kl": 0.0,
                }
            )
    return pd.DataFrame(rows).astype({"hops": "Int64", "correct_lenient": "boolean"})


def results_of(study, rows, folder, summary_of=by_domain):
    """Results as they read back from disk."""
    models = list(dict.fromkeys(rows["model"]))
    run = UNTOLD | {
        "checkpoints": {},
        "versions": {},
        "command": study.command,
        "config": resolve(study.config) | {"model": models},
        "platform": {"cpus": 2, "machine": "abacus"},
    }
    return read_results(write_results(folder / study.name, rows, summary_of(rows, 0), run))


def knock_outs(parts, start=2):
    """Arms of parts left out, emptied and exchanged, each with its own number of right answers."""
    arms = {}
    for i, part in enumerate(parts):
        arms |= {
            f"drop {part}": start + i,
            f"drop {part}: {CLOSED}": start + i + 4,
            f"drop {part}: {EMPTY}": start + i + 3,
            f"other {part}": start + i + 1,
            f"other {part}: {PROMPT}": start + i + 5,
            f"placeholder {part}": start + i + 3,
            f"placeholder {part}: {PROMPT}": start + i + 6,
            f"sham {part}": 18,
        }
    return arms


def made_up(folder, known=True):
    """Results of every study, of two models each, one of which has no latent vision."""

    def ablated(study, arms, data="benchmark", names=("ivtlr", "relay")):
        rows = [rows_of(name, arms(name), data, known=known) for name in names]
        return results_of(study, pd.concat(rows, ignore_index=True), folder)

    def replaced(name):
        arms = {}
        for i, how in enumerate(("zero", "placeholder", "other", "permute")):
            for j, part in enumerate(BOTH if name == "ivtlr" else TEXT):
                first = i + j + len(name) % 3
                arms |= {f"{how} {part}": first, f"{how} {part}: {PROMPT}": 9 + i + j}
        return arms | {"sham latent": 18}

    def noisy(name):
        parts = BOTH[:2] if name == "ivtlr" else BOTH[:1]
        return {
            f"norm-kept noise {sigma} {part}{control}": 18 - i - 5 * j - k
            for i, sigma in enumerate(("0", "0.1", "4"))
            for j, part in enumerate(parts)
            for k, control in enumerate(("", f": {PROMPT}"))
        }

    def picked(name):
        rules = {"attention": 1, "random": 2, "bottom": 3}
        arms = {"k=0": 5, f"k=0: {CLOSED}": 8, f"k=0: {EMPTY}": 12}
        for rule, i in rules.items():
            arms |= {f"select {rule}, k={k}": 18 - i * k for k in range(1, 6)}
            arms |= {f"select {rule}, k={k}: {CLOSED}": 17 - i * k for k in (1, 3, 4, 5)}
            arms |= {f"select {rule}, k=1: {EMPTY}": 16 - i}
        del arms["select attention, k=2"]
        return arms

    def stepped(name):
        counts = (0, 1, 2, 4)
        arms = {f"steps={count}": 3 * count for count in counts}
        arms |= {f"steps={count}: {HELD}": 2 * count + 1 for count in counts if count < 3}
        return arms | {f"steps={count}: {DIFFERENCE}": count + 1 for count in counts}

    answers = [
        rows_of(name, {}, "benchmark:hops=1+4", (1, 4), known, steps)
        for name, steps in (("ivtlr", 3), ("coconut", 3), ("cot", 0), ("no_cot", 0))
    ]
    for i, of in enumerate(answers):
        of["correct"] = of.index < 18 - 3 * i
    words = {f"{how} rationale": i for i, how in enumerate(("other", "permute", "reverse"))}
    return {
        "answers": results_of(
            studies.ANSWERS, pd.concat(answers, ignore_index=True), folder, answer_lines
        ),
        "knockouts": ablated(
            studies.KNOCKOUTS, lambda name: knock_outs(BOTH if name == "ivtlr" else TEXT)
        ),
        "knockouts-one-hop": ablated(
            studies.KNOCKOUTS_ONE_HOP,
            lambda name: knock_outs(BOTH, start=9),
            studies.ONE_HOP,
            ("bypass",),
        ),
        "replacements": ablated(studies.REPLACEMENTS, replaced),
        "noise": ablated(studies.NOISE, noisy),
        "patches": ablated(studies.PATCHES, picked, names=("ivtlr",)),
        "step-counts": ablated(studies.STEP_COUNTS, stepped),
        "rationales": ablated(
            studies.RATIONALES, lambda _: words | {"sham rationale": 18}, names=("cot",)
        ),
    }


@pytest.fixture(scope="session")
def found(tmp_path_factory):
    return made_up(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def unnamed(tmp_path_factory):
    return made_up(tmp_path_factory.mktemp("unnamed"), known=False)


@pytest.fixture
def make(found):
    """Make one table or figure by name."""

    def of(name, results=found):
        (experiment,) = find_experiments(EXPERIMENTS, [name])
        with plt.rc_context(RC):
            return experiment.make({s.name: results[s.name] for s in experiment.studies})

    yield of
    plt.close("all")


def fraction(results, model, arm, **groups):
    """Fraction of right answers, counted in the rows."""
    rows = results.rows[(results.rows["model"] == model) & (results.rows["intervention"] == arm)]
    for name, value in groups.items():
        rows = rows[rows[name] == value]
    return rows["correct"].mean()


@pytest.fixture(name="rows_of")
def given_rows_of():
    return rows_of


@pytest.fixture(name="results_of")
def given_results_of():
    return results_of


@pytest.fixture(name="knock_outs")
def given_knock_outs():
    return knock_outs


@pytest.fixture(name="fraction")
def given_fraction():
    return fraction
