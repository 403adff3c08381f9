"""A condition takes away what it says, and the batches under it are the same whoever asks first."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from latentlab.data import Benchmark, BenchmarkConfig
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind
from latentlab.training.conditions import HIDDEN, interventions_under, plan_under
from latentlab.training.config import StageConfig
from latentlab.training.objective import Objective
from latentlab.training.stage_data import Collator, StageData, StageItem

PLAN = LatentPlan(steps=2, k=2, select="given", gradient="through")
FOUR = list(Benchmark(BenchmarkConfig(split="train"))[:4])
ONE = list(Benchmark(BenchmarkConfig(split="train", hops=(1,)))[:2])


@pytest.fixture
def loss(untrained):
    """A function that gives the loss of some examples under a condition."""
    reasoner = untrained(PLAN)

    @torch.no_grad()
    def run(examples, condition="own", steps=2):
        items = [StageItem(example, steps, condition) for example in examples]
        return float(Objective(reasoner)(**Collator(reasoner, True)(items))["loss"])

    return run


def test_exchanged_latents_are_those_of_the_next_example_that_answers_at_once(untrained):
    reasoner = untrained(PLAN)
    rollout = reasoner.rollout()
    edits = interventions_under("exchanged", torch.tensor([True, False, True, True]))
    with torch.no_grad():
        prefix = rollout.prefill(reasoner.prompter.batch(FOUR, PLAN))
        own, exchanged = rollout.reason(prefix).latents[0], rollout.reason(prefix, edits).latents[0]
    assert torch.equal(exchanged.text, own.text[[2, 1, 3, 0]])
    assert torch.equal(exchanged.vision, own.vision[[2, 1, 3, 0]])
    assert torch.equal(exchanged.picks, own.picks)


def test_words_that_follow_a_latent_follow_their_own(loss):
    assert loss(FOUR, "exchanged", steps=1) == loss(FOUR, steps=1)  # two steps are left to write
    assert loss(ONE, "exchanged", steps=1) != loss(ONE, steps=1)
    assert loss(ONE[:1], "exchanged") == loss(ONE[:1])  # nobody to exchange with


def test_a_hidden_picture_is_seen_through_patches_alone(untrained):
    plan = plan_under(PLAN, "hidden")
    assert plan.blocked == HIDDEN and plan_under(plan, "hidden") == plan
    assert plan_under(PLAN, "emptied") == plan_under(PLAN, "exchanged") == PLAN
    reasoner = untrained(plan)
    rollout, kinds = reasoner.rollout(), torch.full((1, 1), int(Kind.ANSWER))
    emptied = interventions_under("emptied", torch.tensor([True]))

    @torch.no_grad()
    def answer(picture, edits=()):
        prompts = reasoner.prompter.batch([replace(FOUR[0], image=picture)], plan)
        state = rollout.reason(rollout.prefill(prompts), edits)
        return rollout.extend(state, torch.tensor([[5]]), kinds)[:, 1:]

    one, another = FOUR[0].image, FOUR[1].image
    assert not torch.equal(answer(one), answer(another))
    assert torch.equal(answer(one, emptied), answer(another, emptied))


def test_every_batch_has_one_condition_drawn_evenly_by_its_number():
    conditions = ("own", "hidden", "emptied")
    stage = StageConfig(
        "s", updates=300, batch_size=2, latent_steps=2, replay=0.5, conditions=conditions
    )
    data = StageData(FOUR, stage, seed=0)
    drawn = [(data.latent_steps(i), data.condition(i)) for i in range(stage.updates)]
    assert all(condition == "own" for steps, condition in drawn if not steps)
    counts = Counter(condition for steps, condition in drawn if steps)
    assert set(counts) == set(conditions) and min(counts.values()) > 60
    again = StageData(FOUR, stage, seed=0)
    assert [again.condition(i) for i in (77, 3)] == [drawn[77][1], drawn[3][1]]
    first = [data[i] for i in (0, 1)]
    assert {(item.latent_steps, item.condition) for item in first} == {drawn[0]}


def test_refuses_a_stage_without_conditions():
    with pytest.raises(UserError, match="has no conditions"):
        StageConfig("s", updates=1, conditions=())
