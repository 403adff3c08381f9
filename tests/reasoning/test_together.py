"""Runs that share one batch are the runs that each of them is by itself."""

import pytest
import torch

from latentlab.data import Benchmark, BenchmarkConfig
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Drop, Replace, permute
from latentlab.reasoning.noise import Noise
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Given, Mean, Placeholder, Zero
from latentlab.reasoning.together import can_join, reason_together
from latentlab.training.tiny import tiny_reasoner
from tests.tiny.families import TINY

EXAMPLES = list(Benchmark(BenchmarkConfig(hops=(1, 4), size=3)))

PLANS = {
    "published": LatentPlan(steps=3, k=2),
    "paper": LatentPlan(steps=3, k=2, part_order="text_vision"),
    "text alone": LatentPlan(steps=2, k=0),
    "vision alone": LatentPlan(steps=2, k=3, text=False),
    "random": LatentPlan(steps=3, k=2, select="random"),
    "given": LatentPlan(steps=3, k=1, select="given"),
    "all": LatentPlan(steps=2, k=1, select="all"),
    "stride": LatentPlan(steps=3, k=2, stride=4, positions="mrope"),
    "hidden": LatentPlan(steps=3, k=2, blocked=(("answer", "image"), ("latent", "prompt"))),
    "empty": LatentPlan(steps=2, k=2, content="placeholder"),
}


def model_of(plan):
    return tiny_reasoner(plan, seed=3)


def runs_of(plan, bank):
    runs = [(), (Replace("latent", Given()),), (Replace("latent", Zero(), (2,)),)]
    if plan.has_text:
        runs += [
            (Drop("latent_text"),),
            (Drop("latent_text", (2,), closed=True),),
            (Replace("latent_text", Noise(bank, 1.0), draw=1),),
            (permute("latent_text", tuple(reversed(range(plan.steps)))),),
        ]
    if plan.has_vision:
        runs += [(Drop("latent_vision"),), (Drop("latent_vision", closed=True),)]
    if plan.select != "all":
        runs += [(Replace("latent", Mean(bank), (1,)), Drop("latent", (2,), closed=True))]
    return [*runs, (Drop("latent"),), (Replace("latent", Placeholder(), (2,)),)]


@pytest.mark.parametrize("name", PLANS)
@torch.no_grad()
def test_joined_runs_are_separate_runs(name):
    plan = PLANS[name]
    reasoner = model_of(plan)
    rollout = reasoner.rollout(seed=5)
    prefix = rollout.prefill(reasoner.batch(EXAMPLES))
    own = Bank.of(prefix.batch.examples, [rollout.reason(prefix).latents])
    runs = runs_of(plan, own)
    joined = reason_together(rollout, prefix, runs, own)
    answers = reasoner.decode(rollout, joined, EXAMPLES * len(runs), 3, at_once=True)
    for i, edits in enumerate(runs):
        alone = rollout.reason(prefix, edits, own)
        rows = slice(i * len(EXAMPLES), (i + 1) * len(EXAMPLES))
        torch.testing.assert_close(joined.hidden[rows], alone.hidden, rtol=1e-4, atol=1e-5)
        assert torch.equal(joined.next_position[rows], alone.next_position)
        expected = reasoner.decode(rollout, alone, EXAMPLES, 3, at_once=True)
        for ours, theirs in zip(answers[rows], expected, strict=True):
            assert ours.text == theirs.text
            assert ours.latent_steps == theirs.latent_steps == plan.steps
            assert ours.option_logprobs == pytest.approx(theirs.option_logprobs, abs=1e-4)


def test_runs_share_the_steps_before_the_first_that_differs(monkeypatch):
    plan = PLANS["published"]
    reasoner = model_of(plan)
    rollout = reasoner.rollout()
    prefix = rollout.prefill(reasoner.batch(EXAMPLES))
    seen = []
    forward = type(reasoner.backbone).forward

    def counted(self, embeds, *rest):
        seen.append(len(embeds))
        return forward(self, embeds, *rest)

    monkeypatch.setattr(type(reasoner.backbone), "forward", counted)
    late = [(Replace("latent", Zero(), (3,)),), (Drop("latent_text", (3,)),), ()]
    reason_together(rollout, prefix, [*late, (Replace("latent", Zero(), (2,)),)])
    assert seen == [len(EXAMPLES) * n for n in (1, 2, 4)]


@pytest.mark.parametrize("family", TINY)
@torch.no_grad()
def test_every_family_can_join(family):
    reasoner = TINY[family]()
    plan = LatentPlan(steps=2, k=2)
    rollout = reasoner.rollout(plan)
    prefix = rollout.prefill(reasoner.batch(EXAMPLES, plan))
    runs = [(), (Drop("latent_text"),), (Replace("latent", Zero(), (2,)),)]
    joined = reason_together(rollout, prefix, runs)
    for i, edits in enumerate(runs):
        alone = rollout.reason(prefix, edits)
        rows = slice(i * len(EXAMPLES), (i + 1) * len(EXAMPLES))
        torch.testing.assert_close(joined.hidden[rows], alone.hidden, rtol=1e-4, atol=1e-4)


def test_steps_in_words_and_steps_that_vary_are_not_joined():
    assert can_join(PLANS["published"])
    assert not can_join(LatentPlan(steps=0, k=0))
    assert not can_join(LatentPlan(steps=2, k=1, content="words", part_order="text_vision"))
    reasoner = model_of(PLANS["published"])
    rollout = reasoner.rollout(LatentPlan(steps=0, k=0))
    with pytest.raises(ValueError, match="rows of one batch"):
        reason_together(rollout, rollout.prefill(reasoner.batch(EXAMPLES)), [()])
