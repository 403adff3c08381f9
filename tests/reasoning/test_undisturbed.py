"""Runs that go on from the undisturbed one are, to the bit, runs of their own."""

import pytest
import torch

from latentlab.reasoning.interventions import Drop, Replace
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Given, Zero
from latentlab.reasoning.undisturbed import Undisturbed

pytestmark = pytest.mark.usefixtures("no_grad")

PLAN = LatentPlan(steps=3, k=2, select="attention")


@pytest.fixture
def run(reasoner, examples):
    rollout = reasoner.rollout(PLAN)
    prefix = rollout.prefill(reasoner.prompter.batch(examples, PLAN))
    return rollout, prefix, Undisturbed.of(rollout, prefix)


def test_edits_begin_at_the_step_that_they_touch(run, monkeypatch):
    rollout, prefix, undisturbed = run
    own = undisturbed.own
    runs = {
        0: (Replace("latent", Zero()),),
        1: (Drop("latent_vision", steps=(2,)), Replace("latent_text", Zero(), (3,))),
        2: (Replace("latent", Given(), (3,)),),
        3: (),
    }
    passes = []
    forward = type(rollout.backbone).forward

    def counting(self, *args, **named):
        passes.append(1)
        return forward(self, *args, **named)

    monkeypatch.setattr(type(rollout.backbone), "forward", counting)
    for first, edits in runs.items():
        state, seconds = undisturbed.before(rollout, edits)
        assert len(state.latents) == first and (seconds > 0) == (first > 0)
        passes.clear()
        after = rollout.reason(state, edits, own)
        assert len(passes) == 3 - first
        alone = rollout.reason(prefix, edits, own)
        assert torch.equal(after.hidden, alone.hidden)
        assert torch.equal(after.kinds, alone.kinds)
        assert torch.equal(after.next_position, alone.next_position)
        assert len(after.latents) == len(alone.latents) == 3
        for ours, theirs in zip(after.rows, alone.rows, strict=True):
            assert torch.equal(ours, theirs)
        for ours, theirs in zip(after.cache.layers, alone.cache.layers, strict=True):
            assert torch.equal(ours.keys, theirs.keys) and torch.equal(ours.values, theirs.values)
    assert len(prefix.latents) == 0  # stays as it was


def test_states_share_their_keys(run):
    _, prefix, undisturbed = run
    lengths = [state.cache.get_seq_length() for state in undisturbed.states]
    assert lengths == [state.kinds.shape[1] for state in undisturbed.states]
    assert lengths[0] == prefix.kinds.shape[1] and lengths == sorted(set(lengths))
    pointers = {state.cache.layers[0].keys.data_ptr() for state in undisturbed.states}
    assert len(pointers) == 1


def test_steps_that_differ_between_examples_are_run_from_the_first(reasoner, examples):
    plan = LatentPlan(steps=2, k=2, start_token=4, end_token=5)
    rollout = reasoner.rollout(plan)
    prefix = rollout.prefill(reasoner.prompter.batch(examples, plan))
    undisturbed = Undisturbed.of(rollout, prefix)
    edits = (Replace("latent", Zero(), (2,)),)
    state, seconds = undisturbed.before(rollout, edits)
    assert state.latents == [] and seconds == 0 and undisturbed.at(1) is state
    after = rollout.reason(state, edits, undisturbed.own)
    assert torch.equal(after.hidden, rollout.reason(prefix, edits, undisturbed.own).hidden)
