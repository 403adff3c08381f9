"""Rows depend on the examples, the arm and the seed, and on nothing else."""

from dataclasses import replace

import pytest
import torch

from latentlab.ablate import arms, pick_arms
from latentlab.ablate.config import AblateConfig
from latentlab.ablate.materials import gather
from latentlab.ablate.replace_arms import replace_arms
from latentlab.data import load_data
from latentlab.data.perturb import Perturbation
from latentlab.reasoning.donors import Donors
from latentlab.reasoning.interventions import PromptReplace, Replace
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.sources import Resample, Zero
from latentlab.study.arms import Arm
from latentlab.study.references import reference_bank
from latentlab.study.run import run_arms

KEY = ["intervention", "example"]
NUMBERS = ["gold_logprob", "gold_log_odds", "log_odds_change", "kl"]


@pytest.fixture(scope="module")
def data():
    return list(load_data("benchmark:hops=1+4", limit=7))


def some_arms(reasoner, data):
    """Of every sort one: dropped, noisy, swapped, on the prompt, fewer steps, random picks."""
    kinds = ("noise", "other", "norm_matched")
    references = load_data("benchmark:hops=1+4", limit=15)[7:]
    materials = gather(AblateConfig(), reasoner, kinds, data, references)
    return [
        Arm(),
        *arms.drop_arms(["latent"], None, True),
        *replace_arms(reasoner.plan, kinds, ["latent_text"], None, materials),
        *arms.step_arms(reasoner.plan, [1], True),
        *pick_arms.select_arms(reasoner.plan, ["random"], False, True),
    ]


def ask(reasoner, data, chosen, **settings):
    rows = run_arms(reasoner, data, chosen, "benchmark", max_new_tokens=3, **settings)
    return rows.drop(columns="seconds")


def test_rows_come_arm_by_arm_in_the_order_of_the_examples(planned, data):
    rows = run_arms(
        planned("ivtlr"), data, [Arm(), Arm("other", label="again")], "mine", 3, max_new_tokens=2
    )
    names = [example.id for example in data]
    assert rows["example"].tolist() == names * 2
    assert rows["intervention"].tolist() == ["none"] * 7 + ["again"] * 7
    assert set(rows["data"]) == {"mine"}
    assert (rows["autoregressive_steps"] == rows["latent_steps"] + rows["new_tokens"]).all()
    assert (rows["seconds"] > 0).all()
    assert rows["correct_lenient"].isna().all()  # it answers by text, the published score by letter


def test_same_seed_same_rows_and_order_of_arms_does_not_matter(planned, data):
    reasoner = planned("ivtlr")
    chosen = some_arms(reasoner, data)
    rows = ask(reasoner, data, chosen)
    assert rows.equals(ask(reasoner, data, chosen))
    mixed = ask(reasoner, data, [chosen[i] for i in torch.randperm(len(chosen)).tolist()])
    assert rows.sort_values(KEY, ignore_index=True).equals(
        mixed.sort_values(KEY, ignore_index=True)
    )
    other = ask(reasoner, data, chosen, seed=1)
    drawn = rows["intervention"].str.startswith(("noise", "other", "norm_matched", "select"))
    assert not rows[drawn].equals(other[drawn])
    assert rows[~drawn].drop(columns="seed").equals(other[~drawn].drop(columns="seed"))
    assert set(other["seed"]) == {1}


def test_batch_size_does_not_change_rows(planned, data):
    reasoner = planned("ivtlr")
    chosen = some_arms(reasoner, data)
    one, many = (ask(reasoner, data, chosen, batch_size=size) for size in (2, 64))
    lists = ["option_logprobs"]
    plain = [frame.drop(columns=NUMBERS + lists) for frame in (one, many)]
    assert plain[0].equals(plain[1])
    pairs = zip(one["option_logprobs"], many["option_logprobs"], strict=True)
    assert all(left == pytest.approx(right, abs=1e-4) for left, right in pairs)
    assert (one[NUMBERS] - many[NUMBERS]).abs().max().max() < 1e-4


def test_a_donor_does_not_depend_on_batches_even_if_some_lack_a_picture(planned, data):
    reasoner = planned("coconut")
    mixed = [replace(e, image=None if i % 3 else e.image) for i, e in enumerate(data)]
    banks = [reference_bank(reasoner, mixed, size) for size in (2, 64)]
    assert banks[0].examples == banks[1].examples == tuple(example.id for example in data)
    torch.testing.assert_close(banks[0].text, banks[1].text)
    torch.testing.assert_close(banks[0].prompt, banks[1].prompt)
    names = dict.fromkeys(banks[0].examples, "")
    swap = Resample(banks[0], Donors(names, names))
    swapped = Arm("other", interventions=(Replace("latent_text", swap),))
    assert ask(reasoner, mixed, [Arm(), swapped])["example"].tolist() == [
        *(example.id for example in data),
        *(example.id for example in data),
    ]


def test_all_arms_go_on_from_one_prefix_except_those_that_edit_the_prompt(
    planned, data, monkeypatch
):
    edits = []
    prefill = Rollout.prefill

    def counted(self, batch, edit=(), merged=None):
        edits.append(len(edit))
        return prefill(self, batch, edit, merged)

    reasoner = planned("ivtlr")
    chosen = some_arms(reasoner, data)
    edited = Arm("other", label="zeros", prompt_edits=(PromptReplace(Zero(), 2),))
    monkeypatch.setattr(Rollout, "prefill", counted)
    ask(reasoner, data, [*chosen, edited], batch_size=4)
    of_prompt = [arm for arm in [*chosen, edited] if arm.prompt_edits]
    assert len(of_prompt) == 4
    assert edits.count(0) == 2  # one a batch
    assert edits.count(1) == 2 * len(of_prompt)


def test_given_picks_reach_as_far_as_the_longest_arm(planned, data):
    reasoner = planned("gaze")
    rows = ask(
        reasoner, data, [Arm(), Arm("other", label="more", plan=reasoner.plan.replace(steps=5))]
    )
    assert rows.groupby("intervention")["latent_steps"].unique().map(list).to_dict() == {
        "none": [3],
        "more": [5],
    }


def test_an_answer_that_must_come_at_once_begins_with_the_marker(planned, data):
    reasoner = planned("ivtlr")
    free, held = (ask(reasoner, data, [Arm()], at_once=at_once) for at_once in (False, True))
    marker = reasoner.prompter.decode(reasoner.prompter.marker_ids)
    assert held["text"].str.startswith(marker).all()
    # What the model itself would have begun with is on record either way.
    assert held["at_once"].tolist() == free["at_once"].tolist()
    assert free["text"].str.startswith(marker).tolist() == free["at_once"].tolist()


def test_a_changed_input_runs_as_if_it_were_asked_and_is_scored_by_the_question(planned, data):
    """Nothing done changes nothing; what an example does not allow has no row."""
    reasoner = planned("ivtlr")
    same = Perturbation("same", "", lambda example: replace(example))
    long = Perturbation("long", "", lambda e: e if e.hops == 4 else None)
    rows = ask(
        reasoner, data, [Arm(), *(Arm("other", label=one.name, change=one) for one in (same, long))]
    )
    alone, again, some = (rows[rows["intervention"] == n] for n in ("none", "same", "long"))
    assert alone["option_logprobs"].tolist() == again["option_logprobs"].tolist()
    four = [example.id for example in data if example.hops == 4]
    assert 0 < len(four) < len(data)
    assert some["example"].tolist() == four


def test_a_measure_of_ones_own_gives_columns(planned, data):
    """One value an example, beside its row, whatever batch it is in; nothing else changes."""
    reasoner, batches = planned("ivtlr"), []

    def norms(asked, state, answers):
        batches.append([example.id for example in asked])
        assert len(answers) == len(asked) == len(state.hidden)
        return {
            "norm": state.latents[0].text.norm(dim=-1).tolist(),
            "said": [answer.text for answer in answers],
            "who": [example.id for example in asked],
        }

    chosen = [Arm(), *arms.drop_arms(["latent_text"], [2], False)]
    rows = ask(reasoner, data, chosen, batch_size=4, measure=norms)
    plain = ask(reasoner, data, chosen, batch_size=4)
    assert [len(batch) for batch in batches] == [4] * len(chosen) + [3] * len(chosen)
    assert rows.drop(columns=["norm", "said", "who"]).equals(plain)
    assert rows["who"].tolist() == rows["example"].tolist()
    assert rows["said"].tolist() == rows["text"].tolist()
    bank = reference_bank(reasoner, data, 4)
    assert rows["norm"][:7].tolist() == pytest.approx(bank.text[:, 0].norm(dim=-1).tolist())


def test_a_measure_of_ones_own_takes_examples_that_have_no_row(planned, data):
    """What an arm's change does not allow is asked and measured, and then left out."""
    long = Perturbation("long", "", lambda e: e if e.hops == 4 else None)
    arm = Arm("other", label="long", change=long)

    def who(asked, state, answers):
        return {"who": [example.id for example in asked]}

    rows = ask(planned("ivtlr"), data, [arm], measure=who)
    assert rows["who"].tolist() == rows["example"].tolist()
    assert rows["who"].tolist() == [example.id for example in data if example.hops == 4]
