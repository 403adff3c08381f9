"""The command from flags to files: what it refuses, what it passes over, what it leaves behind."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from latentlab import console
from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.interchange.config import InterchangeConfig
from latentlab.interchange.findings import conclusion, show_tables
from latentlab.interchange.summary import summary_of
from latentlab.study.results import read_results

NOTHING = "nothing is left to do: the flags and the data fit none of the models"


@pytest.fixture
def interchange(commanded):
    # Untrained models never come to an end.
    return commanded("interchange", "--max-new-tokens", "2")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"donor": ("same_picture",)}, "the rules are same_image, unrelated, same_answer, self"),
        ({"donor": ()}, "--donor names nothing"),
        ({"donor": ("self", "self")}, "--donor names one thing twice"),
        ({"steps": ()}, "--steps names nothing"),
        ({"hop": (2,)}, "--hop goes with --donor counterfactual"),
        ({"context": "remade"}, "--context goes with --donor counterfactual"),
        ({"donor": ("counterfactual",), "hop": (0,)}, "--hop takes hops from 1 on"),
        ({"donor": ("counterfactual",), "hop": (2, 2)}, "--hop takes hops from 1 on, each once"),
        ({"limit": 0}, "--limit"),
        ({"max_new_tokens": 0}, "--max-new-tokens"),
    ],
)
def test_flags_that_cannot_be_meant_are_refused(flags, message):
    with pytest.raises(UserError, match=message):
        InterchangeConfig(**flags)


def test_one_run_leaves_rows_a_summary_and_sentences(interchange):
    flags = ["--model", "ivtlr", "relay", "cot", "--limit", "8", "--steps", "all", "--seed", "2"]
    flags += ["--data", "benchmark:domain=letters"]
    code, streams = interchange(*flags)
    assert code == 0, streams.err
    assert "cot takes no latent steps and writes nothing before its answer" in streams.err
    sentences = [s for s in streams.out.splitlines() if s.startswith(("ivtlr: ", "relay: "))]
    ivtlr, relay = sentences
    treated, *_ = ivtlr.split(". On those")
    for part in ("latent text", "latent vision", "latents"):
        assert f"with the {part}" in treated
    assert ivtlr.endswith("n its own none of 24 answers flip.")
    assert "with the latent text (n = 8" in relay and "with the latents" not in relay
    assert relay.endswith("n its own none of 8 answers flip.")
    assert all(told.count(". ") <= 2 for told in sentences)
    results = read_results(Path("results/interchange"))
    rows, summary = results.rows, results.summary
    assert set(rows["model"]) == set(summary["model"]) == {"ivtlr", "relay"}
    parts = {"ivtlr": 3, "relay": 2}
    for (model, rule), of_rule in rows.groupby(["model", "donor"]):
        asked = of_rule["example"].nunique()
        assert asked == 8 or rule == "same_answer"
        assert len(of_rule) == asked * (1 + parts[model])
    total = summary[summary["domain"] == "all"]
    assert (total["n"] > 0).all()
    known = total[total["donor"] == "same_image"]
    fields = [f"{name}{end}" for name in ("iia", "margin_shift") for end in ("", "_low", "_high")]
    assert not known[fields].isna().any().any()
    assert len(results.run["checkpoints"]) == 3
    remade = summary_of(rows, 2)  # the rows alone make the same lines again
    assert remade["part"].tolist() == summary["part"].tolist()
    numbers = ["n", "n_iia", "keeps_own", "keeps_own_low", "flip", "kl", "kl_high"]
    assert remade[numbers].to_numpy() == pytest.approx(summary[numbers].to_numpy())


def test_without_traces_the_controls_still_run(interchange, refused):
    plain = [replace(e, trace=None) for e in load_data("benchmark:domain=letters", limit=6)]
    export(plain, Path("mine"))
    flags = ["--model", "relay", "--data", "mine", "--steps", "all"]
    assert "--donor same_image needs traces" in refused(
        interchange(*flags, "--donor", "same_image")
    )
    code, streams = interchange(*flags)
    assert code == 0, streams.err
    assert "--donor same_image needs traces" in streams.err
    assert "passed over" in streams.err
    rows = read_results(Path("results/interchange")).rows
    assert {"unrelated", "self"} <= set(rows["donor"])
    assert rows["expected_answer"].isna().all()


def test_edited_pictures_are_donors_of_benchmark_questions_only(interchange, refused):
    flags = ["--donor", "counterfactual", "--limit", "6", "--steps", "all"]
    data = ["--data", "benchmark:domain=letters,hops=2+1"]
    assert "have 2 hops at most" in refused(interchange(*flags, *data, "--hop", "3"))
    code, streams = interchange(*flags, *data, "--model", "ivtlr", "relay", "--hop", "1", "2")
    assert code == 0, streams.err
    assert "questions allow it at hop 2" in streams.err  # the others have one hop
    told = [s for s in streams.out.splitlines() if s.startswith(("ivtlr: ", "relay: "))]
    assert sum("own latents put back none of " in sentence for sentence in told) == 4
    # For each hop the three parts of one model, and the only part of the other.
    shams = [sentence.split("Shams of the same size do so in at most ")[1] for sentence in told]
    assert sum(sham.partition(";")[0].count("%") for sham in shams) == 2 * (3 + 1)
    # Flips where the needed cell was picked and where it was not, of the model that picks.
    assert sum("where that cell is " in sentence for sentence in told) == 2
    assert all(sentence.endswith(".") for sentence in told)
    results = read_results(Path("results/interchange"))
    assert set(results.rows["hop"]) == set(results.summary["hop"]) == {1, 2}
    remade = summary_of(results.rows, 0)
    numbers = ["n", "strict_flip", "false_flip_low", "change_norm_high", "own_lift_smallest"]
    assert remade[numbers].to_numpy() == pytest.approx(results.summary[numbers].to_numpy())
    export(load_data("benchmark:domain=letters", limit=4), Path("mine"))
    code, streams = interchange(*flags, "--data", "mine", "--out", "results/mine")
    assert code == 2
    assert "--donor counterfactual needs the benchmark" in streams.err


def test_models_that_have_nothing_to_exchange_are_refused(interchange, refused):
    assert "takes no latent steps" in refused(interchange("--model", "cot", "--limit", "3"))
    flags = ["--model", "cot", "relay", "--part", "latent_vision", "--limit", "3"]
    code, streams = interchange(*flags)
    assert code == 2 and streams.out == ""
    assert NOTHING in streams.err.splitlines()[-1]
    assert not list(Path("results").glob("*"))
    flags = ["--model", "relay", "--part", "latent_vision", "--limit", "3"]
    assert "--part latent_vision: relay has none" in refused(interchange(*flags))


def test_pictures_and_traces_that_do_not_fit_are_named_before_the_work(
    interchange, refused, monkeypatch
):
    work = "latentlab.interchange.exchanges.run_arms"
    monkeypatch.setattr(work, lambda *_, **__: pytest.fail("too late"))
    example = load_data("benchmark", limit=1)[0]
    small = replace(example, image=example.image.crop((0, 0, 56, 56)), trace=None)
    export([small], Path("small"))
    assert "has 4 patches, but ivtlr re-inserts 6" in refused(
        interchange("--model", "ivtlr", "--data", "small")
    )
    export([replace(example, trace=None)], Path("untraced"))
    assert "no trace to take them from" in refused(
        interchange("--model", "gaze", "--data", "untraced")
    )


ENDS = ("", "_low", "_high")


def line(part="latent", donor="same_image", model="m", **changes):
    names = ("iia", "follows_shown", "follows_donor", "keeps_own", "flip", "donor_correct")
    values = dict.fromkeys((f"{n}{end}" for n in names for end in ("", "_low", "_high")), 0.5)
    head = {"model": model, "donor": donor, "part": part, "steps": "1..3", "step_set": "all"}
    head |= {"hop": None}
    return {
        **head,
        "domain": "all",
        "n": 10,
        "n_iia": 4,
        "n_shown": 3,
        "kl": 0.0,
        **values,
        **changes,
    }


def test_sentences_say_whose_answer_it_is():
    lines = [
        line(steps="1", step_set="each", follows_donor=0.1),
        line(follows_donor=0.93, follows_donor_low=0.9, follows_donor_high=0.95),
        line(donor="unrelated", iia=0.86),
        line(donor="same_answer", n=7),
        line(donor="self", flip=0.0),
    ]
    (told,) = conclusion(pd.DataFrame(lines))
    treated, unrelated, controls = told.split(". ")
    assert treated == (
        "m: On latents of the same picture asked from another start it gives the donor's answer in "
        "93 % [90, 95] (its own in 50 %) with the latents (n = 10; the donors are right in 50 %)"
    )
    assert "the donor's answer in 50.0 % [50.0, 50.0] (its own in" in unrelated
    assert "to another answer, it gives that one in 86 % (n = 4)" in unrelated
    assert "same answer it gives that answer in 50 % (n = 7)" in controls
    assert controls.endswith("; on its own none of 10 answers flip.")


def test_whose_picture_shows_the_donors_object_stands_in_the_table(capsys, monkeypatch):
    monkeypatch.setattr(console.results, "width", 200)
    numbers = dict.fromkeys(
        (f"{n}{end}" for n in ("donor_lift", "margin_shift") for end in ENDS), 0
    )
    numbers |= {"follows_shown": 0.25, "follows_shown_low": 0.125, "follows_shown_high": 0.375}
    show_tables(pd.DataFrame([line(data="d", **numbers)]))
    shown = capsys.readouterr().out
    assert re.search(r" 25 \[12, 38\] +3 ", shown)
    assert "same picture, another start" in shown


def test_a_sham_that_moves_anything_is_told():
    (sham,) = conclusion(pd.DataFrame([line(donor="self", flip=0.0, kl=1e-9)]))
    assert sham.endswith("none of 10 answers flip: the instrument itself disturbs the model.")


def test_a_swap_short_of_all_steps_is_named():
    (sentence,) = conclusion(pd.DataFrame([line("latent_text", steps="2", step_set="each")]))
    assert sentence.startswith("m: On latents of the same picture")
    assert "with the latent text at step 2 (n = 10" in sentence
