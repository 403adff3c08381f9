"""The command from flags to files."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import latentlab
from latentlab.data import export, load_data
from latentlab.errors import UserError
from latentlab.mediation.config import MediationConfig, main
from latentlab.study.results import read_results

SOURCE = Path(latentlab.__file__).parent.parent


@pytest.fixture
def mediation(commanded):
    return commanded(MediationConfig, main, "mediation")


def refused(outcome) -> str:
    """The last line of a command that refused to start and wrote nothing."""
    code, streams = outcome
    assert code == 2
    assert streams.out == ""
    assert not list(Path("results").glob("*"))
    return streams.err.splitlines()[-1]


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
    assert [text.split(":")[0] for text in ending[-4:-2]] == ["ivtlr", "relay"]
    assert all(text.endswith("Sham 0.0.") for text in ending[-4:-2])
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


def test_what_cannot_be_is_refused_in_one_line(mediation):
    assert "takes no latent steps" in refused(mediation("--model", "cot"))
    assert "has none" in refused(mediation("--model", "relay", "--part", "latent_vision"))
    export(load_data("benchmark", limit=2), Path("two"))
    few = refused(mediation("--model", "relay", "--data", "two"))
    assert "has 2 examples, but this takes two for reference and one to evaluate" in few
    assert "4 hops at most" in refused(mediation("--model", "relay", "--hop", "5"))
    both = mediation("--model", "relay", "cot", "--part", "latent_vision")
    assert "nothing is left to do" in refused(both)


def test_help_is_quick_and_loads_nothing_heavy():
    script = (
        "import sys, runpy\n"
        "sys.argv = ['mediation', '--help']\n"
        "try:\n"
        "    runpy.run_module('latentlab.mediation', run_name='__main__')\n"
        "finally:\n"
        "    heavy = {'torch', 'transformers', 'pandas', 'scipy'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for flag in ("--perturb", "--hop", "--strength", "--mediator", "--part", "--steps"):
        assert flag in done.stdout
