"""The command from flags to files: what it refuses, what it passes over, what it leaves behind."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from latentlab.commands import start
from latentlab.data import export, load_data
from latentlab.measures.summary import totals
from latentlab.study.results import read_results


@pytest.fixture
def ablate(commanded):
    command = commanded("ablate")

    def call(*flags: str):
        few = () if "--max-new-tokens" in flags else ("--max-new-tokens", "4")
        return command(*flags, *few)

    return call


def test_one_run_leaves_rows_a_summary_and_a_sentence(ablate):
    flags = ["--model", "ivtlr", "relay", "cot", "--limit", "4", "--drop", "latent_vision"]
    flags += ["--replace", "other", "--part", "latent_text", "--select", "random", "--seed", "3"]
    code, streams = ablate(*flags)
    assert code == 0, streams.err
    assert "--drop latent_vision: relay has none; passed over" in streams.err
    assert "relay has no latent vision" in streams.err
    assert "cot takes no latent steps, so there is nothing to ablate but its words" in streams.err
    assert "passed over" in streams.err
    ending = streams.out.splitlines()[-4:]
    assert [text.split(": ")[0] for text in ending[:3]] == ["ivtlr", "relay", "cot"]
    assert "of 4 answers are right only with its latent vision" in ending[0]
    assert all(len(re.findall(r"\.(?: |$)", text)) <= 3 for text in ending[:3])
    assert "latent_" not in streams.out  # no name of a column or an arm
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
    assert (lines[["none", "select random", "other latent_text"]] == "").all()
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
    assert "answers are right only with its latents, " in streams.out
    assert emptied["placeholder_trained"].isna().all()  # these models come from no training
    assert "so this is no proof of need" in " ".join(streams.out.split())
    assert "results/ablate/necessity.csv" in streams.out


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
    assert "without latent text at step 1:" in streams.out
    assert "without latent text at step 1 and all others held:" in streams.out
    assert re.search("of 6 parts left out (the one that moves|measurably cost)", streams.out)


def test_where_every_step_is_acted_on_no_other_can_be_held(ablate, refused):
    flags = ["--model", "relay", "--limit", "3", "--drop", "latent_text", "--at", "1", "2", "3"]
    message = refused(ablate(*flags, "--context", "frozen"))
    assert "--at names every step of relay, so no other can be held" in message


def test_off_walk_patches_are_for_models_that_reinsert_any(ablate):
    off_walk = ("--replace", "off_walk", "--limit", "3")
    code, streams = ablate("--model", "ivtlr", "relay", *off_walk)
    assert code == 0, streams.err
    assert "--replace off_walk: it is for the re-inserted patches of relay" in streams.err
    rows = read_results(Path("results/ablate")).rows
    assert {"off_walk latent_vision", "sham latent_vision"} < set(rows["intervention"])
    assert not rows["intervention"].str.contains("latent_text").any()


def arms_of_results():
    return set(read_results(Path("results/ablate")).rows["intervention"])


def test_off_walk_patches_need_traces(ablate, refused):
    export([replace(e, trace=None) for e in load_data("benchmark", limit=4)], Path("mine"))
    message = refused(ablate("--data", "mine", "--replace", "off_walk", "--limit", "3"))
    assert "nothing tells what is off the walk in mine" in message
    flags = ("--replace", "off_walk", "zero", "--part", "latent_vision", "--limit", "3")
    code, streams = ablate("--data", "mine", *flags)
    assert code == 0, streams.err
    assert streams.err.count("off the walk in mine; passed over") == 1
    assert {f"{a} latent_vision" for a in ("zero", "sham")} < arms_of_results()
    assert not any("off_walk" in arm for arm in arms_of_results())


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
    assert start("ablate", flags) == 0
    said = capsys.readouterr().out
    rows = read_results(Path("results/ablate")).rows
    right = rows.groupby("intervention")["correct"].mean()
    sham = rows[rows["intervention"] == "sham rationale"]
    assert not sham["flip"].any()
    assert (sham[["log_odds_change", "kl"]] == 0).all(axis=None)
    assert right["none"] == right["sham rationale"] > 0.7
    for arm in ("drop", "other", "permute", "first", "placeholder"):
        assert right[f"{arm} rationale"] < right["none"] - 0.3, arm
    assert "the test sees the use of a rationale in words" in said
    assert "are right only with its rationale, " in said
    assert " only with an empty token for each word" in said
    assert said.splitlines()[-1] == "Rows, summary and settings are in results/ablate."
    # It answers right after its question, and with as many tokens as words were left.
    tokens = rows.groupby("intervention")["new_tokens"].mean()
    assert tokens["drop rationale"] < tokens["none"] == tokens["placeholder rationale"]


def test_a_model_alone_is_refused_what_it_lacks(ablate, refused):
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


def test_more_picks_than_patches_are_refused_before_the_work(ablate, monkeypatch, refused):
    monkeypatch.setattr("latentlab.ablate.rows.run_arms", lambda *_, **__: pytest.fail("too late"))
    message = refused(ablate("--k", "4..6"))
    assert (
        "6 picks at each of 3 steps need 18 patches, but the picture of test-0-0 has 16" in message
    )
    assert "k is at most 5 at 3 steps" in message
    assert "at most 8 steps at k=2" in refused(ablate("--steps", "9"))


def test_an_unknown_model_is_answered_with_a_near_one(ablate, refused):
    assert "did you mean 'relay'?" in refused(ablate("--model", "rely"))


def test_an_unreadable_picture_is_named_and_nothing_is_written(ablate, refused):
    folder = export(load_data("benchmark", limit=3), Path("mine"))
    broken = folder / "images" / "000001.png"
    broken.write_bytes(broken.read_bytes()[:100])
    message = refused(ablate("--data", "mine", "--strict"))
    assert "000001.png" in message


def test_questions_that_cannot_be_scored_or_asked_are_named(ablate, refused):
    record = {"id": "q1", "question": "Follow one hop.", "choices": ["a", "b"], "answer": "a"}
    folder = Path("mine")
    folder.mkdir()
    for changes, message in (
        ({"choices": []}, "example q1 has no choices"),
        ({}, "example q1 has no picture, but the model re-inserts patches"),
    ):
        (folder / "data.jsonl").write_text(json.dumps({**record, **changes}))
        assert message in refused(ablate("--data", "mine"))


def test_masked_evidence_has_a_table_and_a_paragraph_of_its_own(ablate):
    flags = ["--mask-evidence", "--model", "ivtlr", "relay", "cot", "--limit", "6"]
    flags += ["--data", "benchmark:domain=letters", "--max-new-tokens", "2"]
    code, streams = ablate(*flags, "--drop", "latent")
    assert code == 0, streams.err
    assert "--mask-evidence: cot" not in streams.out
    start = ": Where the cell that a hop needs is blank it is right in "
    told = [s for s in streams.out.splitlines() if start in s]
    assert [sentence.partition(start)[0] for sentence in told] == ["ivtlr", "relay"]
    assert [len(re.findall(r"\.(?: |$)", paragraph)) for paragraph in told] == [3, 3]
    assert "whole picture, empty" not in streams.out  # such arms are not in the usual tables
    assert "without latents:" in streams.out
    results = read_results(Path("results/ablate"))
    rows = results.rows
    dropped = rows["intervention"].str.startswith("drop latent")
    assert (rows.loc[dropped, "evidence"] == "").all()
    assert set(rows.loc[dropped, "positions"]) == {"held", "closed", "kept"}
    assert {"masked", "other masked", "shown"} <= set(rows["evidence"])
    assert set(rows["hop"].dropna()) == {4}


def test_evidence_cannot_be_masked_without_traces(ablate, refused):
    untraced = [replace(e, trace=None) for e in load_data("benchmark:domain=letters", limit=3)]
    export(untraced, Path("mine"))
    message = refused(ablate("--mask-evidence", "--data", "mine", "--model", "relay"))
    assert "--mask-evidence needs pictures with traces" in message
