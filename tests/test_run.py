"""Asking several examples at once, with interventions: the runner's numbers, and nothing else."""

import pandas as pd
import pytest
import torch

from latentlab.answers import Run
from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.reasoning.activations import Patch, Site, record
from latentlab.reasoning.interventions import Add, Drop, Replace, permute
from latentlab.reasoning.knockout import Knockout
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Given, Vector, Zero
from latentlab.study.arms import Arm
from latentlab.study.run import run_arms

QUESTION = "Follow two hops from the red circle."
CHOICES = ("red circle", "red square", "circle")


def vector(reasoner):
    return torch.ones(reasoner.backbone.text_config.hidden_size)


def cases(reasoner):
    """Interventions of every kind: on latents, on attention, on activations, together."""
    patch = Patch(Site(1, 0), vector(reasoner))
    return {
        "nothing": (),
        "drop": (Drop("latent_vision", (1,)),),
        "zero": (Replace("latent", Zero()),),
        "swapped": (permute("latent", (1, 0)),),
        "steered": (Add("latent_text", Vector(vector(reasoner)), 2.0, (2,)),),
        "cut": (Knockout("answer", "image"),),
        "patched": (patch,),
        "prompt patched": (Patch(Site(0, 0), vector(reasoner)),),
        "prompt cut": (Knockout("prompt", "image"),),
        "together": (patch, Replace("latent_text", Zero(), (2,)), Knockout("answer", "latent")),
    }


def told(run):
    """What was said and how likely everything was, without the time it took."""
    return [(a.text, a.choice, a.option_logprobs, a.new_tokens, a.at_once) for a in run.answers]


def test_answers_and_log_odds_are_those_of_the_runner(reasoner, examples):
    seen = set()
    for name, interventions in cases(reasoner).items():
        run = reasoner.run(examples, interventions, max_new_tokens=3)
        arm = Arm("other", label=name, interventions=interventions)
        rows = run_arms(reasoner, examples, [arm], "mine", max_new_tokens=3, at_once=True)
        assert rows["example"].tolist() == [example.id for example in run.examples]
        assert rows["text"].tolist() == [answer.text for answer in run.answers]
        choices = [None if row is pd.NA else row for row in rows["choice"]]
        assert choices == [answer.choice for answer in run.answers]
        logprobs = [list(answer.option_logprobs) for answer in run.answers]
        assert rows["option_logprobs"].tolist() == logprobs
        assert dict(zip(rows["example"], rows["gold_log_odds"], strict=True)) == run.log_odds
        assert rows["at_once"].tolist() == [answer.at_once for answer in run.answers]
        seen.add(str(logprobs))
    assert len(seen) == len(cases(reasoner))  # every one of them does something of its own


def test_own_latents_put_back_change_nothing(reasoner, examples):
    untouched = reasoner.run(examples)
    for part in ("latent_text", "latent_vision", "latent"):
        again = reasoner.run(examples, [Replace(part, Given())])
        assert told(again) == told(untouched)
        assert again.log_odds == untouched.log_odds
        assert torch.equal(again.trajectory.hidden, untouched.trajectory.hidden)
    assert told(reasoner.run(examples)) == told(untouched)


def test_own_activations_put_back_change_nothing(reasoner, examples):
    rollout = reasoner.rollout()
    with torch.no_grad(), record(rollout) as kept:
        rollout(reasoner.batch(examples))
    names = [example.id for example in examples]
    patches = [Patch(site, dict(zip(names, value, strict=True))) for site, value in kept.items()]
    assert len(patches) == (1 + reasoner.plan.steps) * reasoner.backbone.n_layers
    assert told(reasoner.run(examples, patches)) == told(reasoner.run(examples))


def test_a_run_keeps_what_happened_on_the_way(reasoner, examples):
    run = reasoner.run(examples, [Replace("latent_text", Zero(), (2,))], layers=(1,))
    plain = reasoner.run(examples, layers=(0, 1))
    assert isinstance(run, Run) and run.examples == tuple(examples)
    assert torch.equal(run.latent_text(1), plain.latent_text(1))
    assert torch.equal(run.latent_text(1), run.trajectory.latents[0].text)
    assert not run.latent_text(2).any() and plain.latent_text(2).any()
    for step in (1, 2):
        assert torch.equal(run.attention(step, 1), run.trajectory.attention(step, 1))
        assert torch.equal(run.attention(step, 1), plain.attention(step, 1))
    with pytest.raises(UserError, match="there is no step 3"):
        run.attention(3, 1)
    assert reasoner.run(examples, [Drop("latent_text")]).latent_text(1) is None


def test_only_the_layers_that_were_asked_for_are_kept(planned, examples):
    reasoner = planned(LatentPlan(steps=2, k=0))  # it picks nothing, and needs no rows itself
    run = reasoner.run(examples, layers=(1,))
    assert run.attention(2, 1).shape[:2] == (3, reasoner.backbone.n_heads)
    with pytest.raises(UserError, match="layer 0 was not captured; captured: 1"):
        run.attention(1, 0)
    with pytest.raises(UserError, match="there is no step 1: 0 were captured"):
        reasoner.run(examples).attention(1, 1)


def test_the_seed_is_that_of_the_random_picks(planned, examples):
    reasoner = planned(LatentPlan(steps=2, k=2, select="random"))
    picks = [reasoner.run(examples, seed=seed).trajectory.picks for seed in (0, 0, 1)]
    assert torch.equal(picks[0], picks[1])
    assert not torch.equal(picks[0], picks[2])
    drawn = reasoner.rollout(seed=1)
    with torch.no_grad():
        assert torch.equal(drawn(reasoner.batch(examples)).picks, picks[2])


def test_examples_without_a_known_answer_have_no_log_odds(reasoner, examples):
    image = examples[0].image
    open_ended = Example("open", QUESTION, (), "red circle", image)
    unknown = Example("unknown", QUESTION, CHOICES, "", image)
    run = reasoner.run([examples[0], open_ended, unknown], max_new_tokens=2)
    assert list(run.log_odds) == ["e0"]
    assert run.answers[1].option_logprobs == ()
    assert len(run.answers[2].option_logprobs) == 3


def test_what_does_not_fit_is_told(reasoner, examples):
    with pytest.raises(UserError, match=r"the order \(0,\) of the steps says nothing of step 2"):
        reasoner.run(examples, [permute("latent_text", (0,))])


def test_one_question_may_be_answered_under_interventions(reasoner, examples):
    image = examples[0].image

    def ask(*interventions):
        answered = reasoner.answer(image, QUESTION, CHOICES, 3, interventions=interventions)
        answer = answered.answer
        return answered.trajectory, (answer.text, answer.option_logprobs)

    plain, expected = ask()
    seen = set()
    for name, interventions in cases(reasoner).items():
        if name in ("nothing", "swapped"):  # the second needs what a first rollout recorded
            continue
        state, said = ask(*interventions)
        assert said != expected, name
        seen.add(said)
        rollout = reasoner.rollout(capture_layers=range(reasoner.backbone.n_layers))
        example = Example("question", QUESTION, CHOICES, "", image)
        run = reasoner.run([example], interventions)
        assert torch.equal(run.trajectory.hidden, state.hidden)
        assert state.layers == rollout.capture_layers
    assert len(seen) == len(cases(reasoner)) - 2
    zeroed, _ = ask(Replace("latent_text", Zero(), (1,)))
    assert not zeroed.latents[0].text.any() and plain.latents[0].text.any()
    assert torch.equal(zeroed.attention(1, 0), plain.attention(1, 0))
    assert not torch.equal(zeroed.attention(2, 1), plain.attention(2, 1))
    again, said = ask()  # nothing stays behind
    assert said == expected and torch.equal(again.hidden, plain.hidden)


def test_what_acts_inside_the_model_acts_on_the_prompt_wherever_it_is_asked_for(qwen, examples):
    """A prefix that others share was read undisturbed, and is not gone on from."""
    inside = (Patch(Site(0, 0), vector(qwen)),)
    asked = examples[:1]
    before = qwen.run(asked).answers[0].option_logprobs
    run = qwen.run(asked, inside).answers[0].option_logprobs
    arms = [Arm(), Arm("other", label="patched", interventions=inside), Arm("other", label="again")]
    rows = run_arms(qwen, asked, arms, "mine", at_once=True).set_index("intervention")
    assert run != before
    assert rows.loc["patched", "option_logprobs"] == list(run)
    assert rows.loc["none", "option_logprobs"] == list(before)
    assert rows.loc["again", "option_logprobs"] == list(before)
    one = asked[0]
    plain, patched = (
        qwen.answer(one.image, one.question, one.choices, 3, interventions)
        for interventions in ((), inside)
    )
    assert plain.answer.option_logprobs != patched.answer.option_logprobs
