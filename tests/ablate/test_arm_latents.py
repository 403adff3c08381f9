"""What arms do to latents and positions: to the bit what they say, and nothing beside it."""

import pytest
import torch

from latentlab.ablate import arms, pick_arms
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.interventions import Drop
from latentlab.study.arms import Arm
from latentlab.study.run import run_arms
from latentlab.vocabulary import KNOCK_OUT


@pytest.mark.parametrize("part_order", ["vision_text", "text_vision"])
def test_closed_up_an_arm_is_the_plan_without_what_it_removes(planned, data, part_order, parts_of):
    """To the bit in all that is answered, whatever else the batch goes through."""
    plan = planned("ivtlr").plan.replace(part_order=part_order)
    reasoner = planned(plan, "ordered")
    made = arms.drop_arms(parts_of(plan), None, True) + arms.step_arms(plan, [0, 1], True)
    made += pick_arms.k_arms(plan, [0, 1, 3], True)
    plans = {
        "drop latent_vision: positions closed": plan.replace(k=0),
        "drop latent_text: positions closed": plan.replace(text=False),
        "drop latent: positions closed": plan.replace(steps=0),
        "k=0: positions closed": plan.replace(k=0),
        "k=1: positions closed": plan.replace(k=1),
        "k=3: positions closed": plan.replace(k=3),
        "steps=0": plan.replace(steps=0),
    }
    without = [
        Arm("other", label=f"plan {arm}", kind=KNOCK_OUT, plan=changed)
        for arm, changed in plans.items()
    ]
    # As many sequences as questions: arms share no batch, and are the same to the last bit.
    every = [Arm(), *made, *without]
    rows = run_arms(reasoner, data, every, "benchmark", len(data), max_new_tokens=3)
    rows = rows.set_index(["intervention", "example"])
    said = ["text", "choice", "gold_logprob", "option_logprobs"]
    for arm in plans:
        assert rows.loc[arm, said].equals(rows.loc[f"plan {arm}", said]), arm
    # Holding all of a removal is one thing, however it is asked for; so is emptying all slots.
    pairs = [("steps=0: positions held", "drop latent"), ("k=0", "drop latent_vision")]
    pairs += [("steps=0: the difference empty", "drop latent: slots kept, empty")]
    for one, other in pairs:
        assert rows.loc[one, said].equals(rows.loc[other, said]), one
    for held, closed in (("drop latent_vision", ": positions closed"), ("k=3", ": positions clo")):
        closed = next(name for name in plans if name.startswith(f"{held}{closed}"))
        assert not rows.loc[held, said].equals(rows.loc[closed, said])


def test_slots_that_are_kept_are_emptied_from_the_last(model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    _, _, kept, _ = pick_arms.k_arms(reasoner.plan, [1], True)
    assert kept.name == "k=1: slots kept, empty"
    untouched = reasoner.rollout()(prompts).latents[0]
    emptied = reasoner.rollout(kept.plan)(prompts, kept.interventions).latents[0]
    placeholder = reasoner.backbone.embed_tokens(torch.tensor([reasoner.placeholder_id]))
    assert torch.equal(emptied.vision[:, 0], untouched.vision[:, 0])
    assert torch.equal(emptied.vision[:, 1], placeholder.expand(len(data), -1))
    assert torch.equal(emptied.text, untouched.text)


@pytest.mark.parametrize("name", ["ivtlr", "gaze", "vision", "strided"])
def test_only_what_closes_up_moves_later_positions(name, model, data, every_arm):
    reasoner = model(name)
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    untouched = reasoner.rollout()(prompts)
    own = Bank.of(prompts.examples, [untouched.latents])
    for arm in every_arm(reasoner, data):
        if arm.name.startswith("steps=") and arm.positions is None:
            continue  # more steps than it has
        rollout = reasoner.rollout(arm.plan)
        state = rollout.reason(rollout.prefill(prompts), arm.interventions, own)
        same = torch.equal(state.next_position, untouched.next_position)
        assert same == (arm.positions != "closed"), arm.name


def test_emptied_steps_stand_where_the_longer_rollout_has_them(model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    made = {arm.name: arm for arm in arms.step_arms(reasoner.plan, [1, 5], True)}

    def end(arm):
        return reasoner.rollout(arm.plan)(prompts, arm.interventions).next_position

    assert torch.equal(end(made["steps=1: the difference empty"]), end(Arm()))
    assert torch.equal(end(made["steps=5: the difference empty"]), end(made["steps=5"]))
    assert torch.equal(end(made["steps=1"]) + 2 * 3, end(Arm()))


def test_one_step_is_left_alone_by_what_is_done_at_another(model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    (arm, *_) = arms.drop_arms(["latent_vision"], (3,), True)
    assert arm.name == "drop latent_vision at step 3"
    rollout = reasoner.rollout()
    untouched, dropped = rollout(prompts), rollout(prompts, arm.interventions)
    assert [latent.vision is None for latent in dropped.latents] == [False, False, True]
    for step in range(2):
        assert torch.equal(untouched.latents[step].text, dropped.latents[step].text)


def test_random_picks_are_as_many_and_others(model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    changed, _, control = pick_arms.k_arms(reasoner.plan, [3], True)
    picks = [reasoner.rollout(arm.plan)(prompts).picks for arm in (changed, control)]
    assert picks[0].shape == picks[1].shape == (4, 3, 3)
    assert not torch.equal(*picks)


@pytest.mark.parametrize("closed", [False, True])
def test_only_the_step_at_hand_differs_in_a_fixed_context(closed, model, data):
    reasoner = model("ivtlr")
    prompts = reasoner.prompter.batch(data, reasoner.plan)
    rollout = reasoner.rollout()
    untouched = rollout(prompts)
    own = Bank.of(prompts.examples, [untouched.latents])
    dropping = (Drop("latent_text", (1,), closed),)
    arm = Arm("drop", "latent_text", (1,), interventions=dropping)
    remade, frozen = arms.in_contexts([arm], ("remade", "frozen"), reasoner.plan)
    assert (remade.context, frozen.context) == ("remade", "frozen")
    names = ("drop latent_text at step 1", "drop latent_text at step 1, others frozen")
    assert (remade.name, frozen.name) == names
    states = [
        rollout.reason(rollout.prefill(prompts), one.interventions, own) for one in (remade, frozen)
    ]
    for step in (1, 2):
        held, now = untouched.latents[step], states[1].latents[step]
        assert torch.equal(held.text, now.text)
        assert torch.equal(held.vision, now.vision)
        assert not torch.equal(held.text, states[0].latents[step].text)
    assert states[1].latents[0].text is None
    assert torch.equal(states[1].latents[0].vision, untouched.latents[0].vision)
