"""The command from flags to files: what it refuses, what it passes over, what it leaves behind."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import latentlab
from latentlab.ablate.applicable import fit
from latentlab.ablate.config import AblateConfig, main, numbers
from latentlab.command import run
from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.measures.summary import totals
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.results import read_results
from latentlab.training.recipes import PLANS

SOURCE = Path(latentlab.__file__).parent.parent


@pytest.fixture
def ablate(commanded):
    return commanded(AblateConfig, main, "ablate")


def refused(outcome) -> str:
    """The one line of a command that refused to start and wrote nothing."""
    code, streams = outcome
    assert code == 2
    assert streams.out == ""
    assert streams.err.startswith("error: ")
    assert streams.err.count("\n") == 1
    assert not list(Path("results").glob("*"))
    return streams.err


def refused_again(outcome) -> str:
    """The one line of a command that refused to start; an earlier one may have written."""
    code, streams = outcome
    assert code == 2
    assert streams.out == ""
    assert streams.err.count("\n") == 1
    return streams.err


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"at": (1,), "steps": "0..2"}, "--at"),
        ({"part": ("latent",)}, "--part"),
        ({"part": ("latent",), "drop": ("latent",)}, "--part"),
        ({"sigma": (2.0,), "replace": ("zero",)}, "--sigma"),
        ({"sigma": (-1.0,), "replace": ("noise",)}, "--sigma"),
        ({"sigma": (float("nan"),), "replace": ("noise",)}, "--sigma"),
        ({"sigma": (), "replace": ("noise",)}, "--sigma"),
        ({"context": ("frozen",)}, "--context"),
        ({"context": (), "at": (1,)}, "--context"),
        ({"at": ("each", 2)}, "--at each"),
        ({"reuse": True}, "--reuse"),
        ({"reuse": True, "select": ("all", "none")}, "--reuse"),
        ({"reference": 1, "replace": ("other",)}, "--reference"),
        ({"reference": 10}, "--reference"),
        ({"hop": 2}, "--hop"),
        ({"hop": 0, "mask_evidence": True}, "--hop"),
        ({"keep_norm": True, "replace": ("unit_noise",)}, "--keep-norm"),
        ({"noise_seeds": 0, "replace": ("noise",)}, "--noise-seeds"),
        ({"max_new_tokens": 0}, "--max-new-tokens"),
        ({"list_necessary": True, "k": "0..2"}, "--list-necessary"),
        ({"list_necessary": True, "replace": ("zero",)}, "--list-necessary"),
        ({"steps": "3..1"}, "--steps"),
        ({"k": "-1"}, "--k"),
        ({"k": "many"}, "--k"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(flags, named):
    with pytest.raises(UserError, match=f"^{named}"):
        AblateConfig(**flags)


def test_numbers_are_ranges_or_lists():
    assert numbers("0..3", "--k") == (0, 1, 2, 3)
    assert numbers("3,1,3", "--k") == (3, 1)
    assert numbers("2", "--k") == (2,)
    assert numbers("", "--k") == ()


TEXT, VISION = LatentPlan(steps=3, k=0), LatentPlan(steps=2, k=2, text=False)
BOTH, EVERY = LatentPlan(steps=3, k=2), LatentPlan(steps=2, k=0, select="all")


@pytest.mark.parametrize(
    ("flags", "plan", "message"),
    [
        ({}, PLANS["cot"], "takes no latent steps"),
        ({"drop": ("latent_vision",)}, TEXT, "--drop latent_vision: it has none"),
        ({"drop": ("latent_text",)}, VISION, "--drop latent_text: it has none"),
        ({"replace": ("zero",), "part": ("latent_text",)}, VISION, "--part latent_text: it has"),
        ({"at": (4,)}, BOTH, "--at 4: it has latent steps 1 to 3"),
        ({"at": (0,)}, BOTH, "--at 0: it has latent steps 1 to 3"),
        ({"k": "0..2"}, TEXT, "it has no latent vision"),
        ({"select": ("random",)}, EVERY, "it re-inserts every patch"),
        ({"k": "0..2"}, PLANS["gaze"], "--k 1: it is told which 2 to pick"),
        ({"select": ("bottom",)}, PLANS["gaze"], "--select bottom: it cannot do it"),
        ({"drop": ("rationale",)}, BOTH, "rationale: it reasons in latent steps and not in words"),
        ({"replace": ("permute",), "at": (2,)}, BOTH, "--replace permute: it takes another step"),
        ({"replace": ("first",), "at": (1,)}, BOTH, "--replace first: it takes another step"),
        ({"drop": ("latent", "rationale")}, PLANS["cot"], "--drop latent: it has none"),
        (
            {"replace": ("zero", "other"), "part": ("rationale",)},
            PLANS["cot"],
            "--replace zero: it reasons in words, which take other, permute, reverse, first",
        ),
        ({"drop": ("rationale",), "steps": "2"}, PLANS["cot"], "it takes no latent steps"),
    ],
)
def test_what_a_model_lacks_is_told_in_one_line(flags, plan, message):
    told = []
    fit(AblateConfig(**flags), plan, "it", told.append)
    assert len(told) == 1
    assert message in told[0]


def test_what_a_model_has_is_kept():
    def fail(message):
        raise AssertionError(message)

    assert fit(AblateConfig(), TEXT, "it", fail).drop == ("latent_text", "latent")
    assert fit(AblateConfig(), VISION, "it", fail).drop == ("latent_vision", "latent")
    both = fit(AblateConfig(at=(3, 1, 3)), BOTH, "it", fail)
    assert both.drop == ("latent_text", "latent_vision", "latent")
    assert both.at == ((0, 2),)
    assert both.contexts == ("remade",)
    alone = AblateConfig(at=("each",), context=("frozen",))
    assert fit(alone, BOTH, "it", fail).at == ((0,), (1,), (2,))
    swept = AblateConfig(steps="0..4", k="0..3", select=("attention", "random", "none"))
    fitted = fit(swept, BOTH, "it", fail)
    # Each rule is crossed with each k; only attention to two patches is what it does anyway.
    assert (fitted.steps, fitted.k) == ((0, 1, 2, 4), (0, 1, 2, 3))
    assert fitted.select == ("attention", "random", "none")
    assert not fitted.drop
    assert fit(AblateConfig(k="0..3"), BOTH, "it", fail).k == (0, 1, 3)
    reused = AblateConfig(select=("attention",), reuse=True)
    assert fit(reused, BOTH, "it", fail).select == ("attention",)
    words = AblateConfig(replace=("first", "other"), part=("rationale",), drop=("rationale",))
    fitted = fit(words, PLANS["cot"], "it", fail)
    assert (fitted.drop_words, fitted.words) == (True, ("other", "first"))
    assert not fitted.overwrite
    assert not fit(AblateConfig(steps="3", k="2", select=("attention",)), BOTH, "it", fail)
    assert not fit(AblateConfig(select=("attention",)), BOTH, "it", fail)


def test_one_run_leaves_rows_a_summary_and_a_sentence(ablate):
    flags = ["--model", "ivtlr", "relay", "cot", "--limit", "4", "--drop", "latent_vision"]
    flags += ["--replace", "other", "--part", "latent_text", "--select", "random", "--seed", "3"]
    code, streams = ablate(*flags)
    assert code == 0, streams.err
    assert "--drop latent_vision: relay has none; passed over" in streams.err
    assert "relay has no latent vision" in streams.err
    assert "cot takes no latent steps, so there is nothing to ablate but its words" in streams.err
    assert "passed over" in streams.err
    ending = streams.out.splitlines()[-6:]
    assert [text.split(" answers ")[0] for text in ending[:3]] == ["ivtlr", "relay", "cot"]
    assert ending[-1] == "Rows, summary and settings are in results/ablate."
    results = read_results(Path("results/ablate"))
    arms = {
        "ivtlr": {
            "none",
            "drop latent_vision",
            "drop latent_vision: positions closed",
            "drop latent_vision: slots kept, empty",
            "select random",
            "other latent_text",
            "other latent_text: on uninformative words",
            "sham latent_text",
        },
        "cot": {"none"},
    }
    arms["relay"] = {arm for arm in arms["ivtlr"] if not arm.startswith(("drop", "select"))}
    lines = results.summary.set_index("intervention")["positions"]
    assert set(lines["drop latent_vision"]) == {"held"}
    assert set(lines["drop latent_vision: positions closed"]) == {"closed"}
    assert set(lines["drop latent_vision: slots kept, empty"]) == {"kept"}
    assert lines[["none", "select random", "other latent_text"]].isna().all()  # as a file has it
    rows = results.rows
    assert {m: set(of["intervention"]) for m, of in rows.groupby("model")} == arms
    assert len(rows) == 4 * sum(map(len, arms.values()))
    assert not rows.duplicated(["model", "intervention", "example"]).any()
    total = totals(results.summary)
    assert len(total) == sum(map(len, arms.values()))
    assert (total["n"] == 4).all()
    numbers = ["accuracy", "delta"]
    ends = [f"{name}_{end}" for name in numbers for end in ("low", "high")]
    assert not total[[*numbers, *ends]].isna().any().any()
    assert set(total["kind"]) == {"none", "knock-out at inference", "control"}
    assert (total.loc[total["intervention"].str.startswith("sham"), "delta"] == 0).all()
    assert len(json.loads(Path("results/ablate/run.json").read_text())["checkpoints"]) == 3
    # The same settings replace their own results, and others do not.
    assert ablate(*flags)[0] == 0
    code, streams = ablate("--model", "ivtlr", "--limit", "2")
    assert code == 2
    assert "other settings" in streams.err
    again = read_results(Path("results/ablate")).rows
    pd.testing.assert_frame_equal(again.drop(columns="seconds"), rows.drop(columns="seconds"))


def test_without_flags_each_answer_is_labelled_by_whether_it_needs_its_latents(ablate):
    code, streams = ablate("--limit", "3", "--list-necessary")
    assert code == 0, streams.err
    rows = read_results(Path("results/ablate")).rows
    emptied = rows[rows["necessity"].notna()]
    assert set(emptied["intervention"]) == {
        f"drop {part}: slots kept, empty" for part in ("latent_text", "latent_vision", "latent")
    }
    listed = pd.read_csv("results/ablate/necessity.csv")
    whole = emptied[emptied["intervention"] == "drop latent: slots kept, empty"]
    assert listed["example"].tolist() == whole["example"].tolist()
    assert listed["necessity"].tolist() == whole["necessity"].tolist()
    assert "ivtlr is right with its latents, and wrong with these slots empty," in streams.out
    assert "results/ablate/necessity.csv" in streams.out.splitlines()[-2]


def test_random_arms_are_drawn_as_often_as_asked(ablate):
    flags = [
        "--limit",
        "3",
        "--replace",
        "noise",
        "zero",
        "--part",
        "latent",
        "--sigma",
        "0.1",
        "1",
    ]
    code, streams = ablate(*flags, "--keep-norm", "--noise-seeds", "3", "--seed", "5")
    assert code == 0, streams.err
    results = read_results(Path("results/ablate"))
    seeds = results.rows.groupby("intervention")["seed"].unique().map(list)
    assert seeds["norm-kept noise 0.1 latent"] == seeds["norm-kept noise 1 latent"] == [5, 6, 7]
    assert seeds["zero latent"] == seeds["none"] == seeds["sham latent"] == [5]
    total = totals(results.summary).set_index("intervention")
    assert (total["n"] == 3).all()
    assert total.loc["norm-kept noise 1 latent", "seeds"] == 3
    assert "drawn with 3 seeds" in streams.out


def test_every_step_is_acted_on_alone_in_both_contexts_side_by_side(ablate):
    flags = ["--model", "relay", "--limit", "3", "--drop", "latent_text", "--at", "each"]
    code, streams = ablate(*flags, "--context", "remade", "frozen")
    assert code == 0, streams.err
    results = read_results(Path("results/ablate"))
    arms = results.rows.groupby("intervention")["context"].unique().map(list)
    assert arms.pop("none") == [""]
    names = [f"drop latent_text at step {step}" for step in (1, 2, 3)]
    assert {name for name in arms.index if ": " not in name} == {
        *names,
        *(f"{name}, others frozen" for name in names),
    }
    for name, contexts in arms.items():
        assert contexts == ["frozen" if "frozen" in name else "remade"]
    assert "Without its latent text at step 1 and all others held" in streams.out
    message = refused_again(ablate(*flags[:-1], "1", "2", "3", "--context", "frozen", "--out", "b"))
    assert "--at names every step of relay, so no other can be held" in message


def test_off_walk_patches_need_traces(ablate):
    off_walk = ("--replace", "off_walk", "--limit", "3")
    code, streams = ablate("--model", "ivtlr", "relay", *off_walk)
    assert code == 0, streams.err
    assert "--replace off_walk: it is for the re-inserted patches of relay" in streams.err
    rows = read_results(Path("results/ablate")).rows
    assert {"off_walk latent_vision", "sham latent_vision"} < set(rows["intervention"])
    assert not rows["intervention"].str.contains("latent_text").any()
    export([replace(e, trace=None) for e in load_data("benchmark", limit=4)], Path("mine"))
    message = refused_again(ablate("--data", "mine", *off_walk, "--out", "b"))
    assert "nothing tells what is off the walk in mine" in message


def test_rules_and_numbers_of_patches_are_crossed(ablate):
    rules = ["attention", "random", "bottom", "all", "none"]
    code, streams = ablate("--limit", "2", "--select", *rules, "--k", "1..2", "--reuse")
    assert code == 0, streams.err
    arms = read_results(Path("results/ablate")).rows["intervention"].unique()
    crossed = [arm for arm in arms if ", k=" in arm and ": " not in arm]
    assert len(crossed) == 3 * 2 * 2 - 1
    for way in ("positions closed", "slots kept, empty"):  # of one patch instead of two
        resized = [arm for arm in arms if arm.endswith(f": {way}") and ", k=" in arm]
        assert len(resized) == 3 * 2
        assert all("k=1" in arm for arm in resized)
    assert {"select all", "select none"} <= set(arms)


def test_an_explicit_model_shows_that_the_test_sees_use(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    flags = ["--model", "cot", "--limit", "12", "--part", "rationale", "--drop", "rationale"]
    flags += ["--replace", "other", "permute", "reverse", "first", "placeholder"]
    assert run(AblateConfig, main, "ablate", flags) == 0
    said = capsys.readouterr().out
    rows = read_results(Path("results/ablate")).rows
    right = rows.groupby("intervention")["correct"].mean()
    sham = rows[rows["intervention"] == "sham rationale"]
    assert not sham["flip"].any()
    assert (sham[["log_odds_change", "kl"]] == 0).all(axis=None)
    assert right["none"] == right["sham rationale"] > 0.7
    for arm in ("drop", "other", "permute", "first", "placeholder"):
        assert right[f"{arm} rationale"] < right["none"] - 0.3, arm
    assert "So the test sees the use of a rationale in words" in said
    assert "cot is right with its rationale, and wrong with an empty token for each word," in said
    assert said.splitlines()[-1] == "Rows, summary and settings are in results/ablate."
    # It answers right after its question, and with as many tokens as words were left.
    tokens = rows.groupby("intervention")["new_tokens"].mean()
    assert tokens["drop rationale"] < tokens["none"] == tokens["placeholder rationale"]


def test_a_model_alone_is_refused_what_it_lacks(ablate):
    assert "takes no latent steps" in refused(ablate("--model", "cot"))
    assert "cot writes none before its answer" in refused(
        ablate("--model", "cot", "--drop", "rationale", "--limit", "3")
    )
    assert "has none" in refused(ablate("--model", "relay", "--drop", "latent_vision"))
    assert "nothing is left to do" in refused(ablate("--model", "ivtlr", "--k", "2"))
    export(load_data("benchmark", limit=2), Path("two"))
    few = refused(ablate("--replace", "other", "--data", "two"))
    assert "has 2 examples, but this takes two for reference and one to evaluate" in few


def test_several_models_that_all_lack_everything_are_refused(ablate):
    code, streams = ablate("--model", "cot", "relay", "--k", "1")
    assert code == 2
    assert streams.err.splitlines()[-1].startswith("error: nothing is left to do")


def test_more_picks_than_patches_are_refused_before_the_work(ablate, monkeypatch):
    monkeypatch.setattr("latentlab.study.arms.run_arms", lambda *_, **__: pytest.fail("too late"))
    message = refused(ablate("--k", "4..6"))
    assert (
        "6 picks at each of 3 steps need 18 patches, but the picture of test-0-0 has 16" in message
    )
    assert "k is at most 5 at 3 steps" in message
    assert "at most 8 steps at k=2" in refused(ablate("--steps", "9"))


def test_an_unknown_model_is_answered_with_a_near_one(ablate):
    assert "did you mean 'relay'?" in refused(ablate("--model", "rely"))


def test_an_unreadable_picture_is_named_and_nothing_is_written(ablate):
    folder = export(load_data("benchmark", limit=3), Path("mine"))
    broken = folder / "images" / "000001.png"
    broken.write_bytes(broken.read_bytes()[:100])
    message = refused(ablate("--data", "mine"))
    assert "000001.png" in message


def test_questions_that_cannot_be_scored_or_asked_are_named(ablate):
    record = {"id": "q1", "question": "Follow one hop.", "choices": ["a", "b"], "answer": "a"}
    folder = Path("mine")
    folder.mkdir()
    for changes, message in (
        ({"choices": []}, "example q1 has no choices"),
        ({}, "example q1 has no picture, but the model re-inserts patches"),
    ):
        (folder / "data.jsonl").write_text(json.dumps({**record, **changes}))
        assert message in refused(ablate("--data", "mine"))


def test_help_is_quick_and_loads_nothing_heavy():
    script = (
        "import sys, runpy\n"
        "sys.argv = ['ablate', '--help']\n"
        "try:\n"
        "    runpy.run_module('latentlab.ablate', run_name='__main__')\n"
        "finally:\n"
        "    heavy = {'torch', 'transformers', 'pandas', 'scipy'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    flags = ("--drop", "--replace", "--steps", "--k", "--select", "--noise-seeds", "--answer")
    for flag in (*flags, "--list-necessary", "--out"):
        assert flag in done.stdout


def test_masked_evidence_has_a_table_and_a_paragraph_of_its_own(ablate):
    flags = ["--mask-evidence", "--model", "ivtlr", "relay", "cot", "--limit", "6"]
    flags += ["--data", "benchmark:domain=letters", "--max-new-tokens", "2"]
    code, streams = ablate(*flags, "--drop", "latent")
    assert code == 0, streams.err
    assert "--mask-evidence: cot" not in streams.out
    told = [s for s in streams.out.splitlines() if ": where the cell that a hop needs" in s]
    assert [sentence.partition(":")[0] for sentence in told] == ["ivtlr", "relay"]
    assert "whole picture, empty" not in streams.out  # such arms are not in the usual tables
    assert "drop latent" in streams.out
    results = read_results(Path("results/ablate"))
    rows = results.rows
    dropped = rows["intervention"].str.startswith("drop latent")
    assert (rows.loc[dropped, "evidence"] == "").all()
    assert set(rows.loc[dropped, "positions"]) == {"held", "closed", "kept"}
    assert {"masked", "other masked", "shown"} <= set(rows["evidence"])
    assert set(rows["hop"].dropna()) == {4}


def test_evidence_cannot_be_masked_without_traces(ablate):
    untraced = [replace(e, trace=None) for e in load_data("benchmark:domain=letters", limit=3)]
    export(untraced, Path("mine"))
    message = refused(ablate("--mask-evidence", "--data", "mine", "--model", "relay"))
    assert "--mask-evidence needs pictures with traces" in message
