"""The command from flags to files."""

from dataclasses import replace
from pathlib import Path

import pytest

from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.mediation.config import MediationConfig
from latentlab.study.results import read_results

NOTHING = "nothing is left to do: the flags and the data fit none of the models"


@pytest.fixture
def mediation(commanded):
    return commanded("mediation")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"perturb": ()}, "--perturb"),
        ({"steps": ()}, "--steps"),
        ({"mediator": ()}, "--mediator"),
        ({"hop": (1,), "perturb": ("blank",)}, "--hop"),
        ({"hop": (0,)}, "--hop"),
        ({"strength": (0.1,), "perturb": ("blank",)}, "--strength"),
        ({"strength": (1.5,)}, "--strength"),
        ({"strength": (float("nan"),)}, "--strength"),
        ({"reference": 1}, "--reference"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(flags, named):
    with pytest.raises(UserError, match=f"^{named}"):
        MediationConfig(**flags)


def test_one_run_leaves_rows_a_summary_and_sentences(mediation):
    flags = ["--model", "ivtlr", "relay", "cot", "--limit", "4", "--perturb", "relink"]
    code, streams = mediation(*flags, "--steps", "all", "each", "--mediator", "latents")
    assert code == 0, streams.err
    assert "cot takes no latent steps" in streams.err
    ending = streams.out.splitlines()
    assert [text.split(":")[0] for text in ending[-3:-1]] == ["ivtlr", "relay"]
    same = "he same question once more changes nothing."
    assert all(text.endswith(same) for text in ending[-3:-1])
    assert all(text.count(". ") <= 2 for text in ending[-3:-1])
    assert ending[-1] == "Rows, summary and settings are in results/mediation."
    results = read_results(Path("results/mediation"))
    assert set(results.rows["model"]) == {"ivtlr", "relay"}
    assert set(results.rows["perturbation"]) == {"none", "relink"}
    total = results.summary[results.summary["domain"] == "all"]
    effects = total[total["measure"] == "effect"]
    assert (effects["n"] == 4).all()
    assert effects[["te", "te_low", "te_high", "nie", "nde"]].notna().all().all()
    assert set(effects["steps"]) == {"all", "1", "2", "3"}
    for share in ("nie_share", "tie_share", "interaction_share"):
        assert effects.loc[effects[share].isna(), "share_note"].ne("").all()
    of_hops = effects[effects["perturbation"] == "relink"]
    assert set(of_hops["hop"]) == {"1", "2", "3", "4", "first", "between", "last"}
    assert effects.loc[effects["perturbation"] == "none", "hop"].isna().all()


def test_your_own_data_without_traces_is_measured_with_what_it_allows(mediation):
    bare = [replace(e, trace=None) for e in load_data("benchmark", limit=5)]
    export(bare, Path("mine"))
    code, streams = mediation("--model", "relay", "--data", "mine", "--mediator", "latents")
    assert code == 0, streams.err
    assert "relink needs the benchmark" in streams.err
    assert "the last 2 of 5 examples are references and not evaluated" in streams.err
    rows = read_results(Path("results/mediation")).rows
    assert set(rows["perturbation"]) == {"none", "other_image", "blank", "noise 0.5"}


def test_what_cannot_be_is_refused_in_one_line(mediation, refused):
    assert "takes no latent steps" in refused(mediation("--model", "cot"))
    assert "has none" in refused(mediation("--model", "relay", "--part", "latent_vision"))
    export(load_data("benchmark", limit=2), Path("two"))
    few = refused(mediation("--model", "relay", "--data", "two"))
    assert "has 2 examples, but this takes two for reference and one to evaluate" in few
    assert "4 hops at most" in refused(mediation("--model", "relay", "--hop", "5"))
    code, streams = mediation("--model", "relay", "cot", "--part", "latent_vision")
    assert code == 2 and streams.out == ""
    assert NOTHING in streams.err.splitlines()[-1]
    assert not list(Path("results").glob("*"))
