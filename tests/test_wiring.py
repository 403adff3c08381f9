"""What an organism's truth rests on: paths that are cut let no gradient through, not even a little.

Each test takes the gradient of the answer's logits with respect to what must not reach it, and, so
that a zero means something, with respect to what must.
"""

import pytest
import torch

from latentlab.checkpoint import load
from latentlab.data import load_data
from latentlab.reasoning.visibility import Kind

ONE_HOP = ("bypass", "filler", "decoy")


class Prompt:
    """An edit of the prompt that changes nothing and keeps its embeddings as a leaf."""

    def edit_prompt(self, embeds, ordinary, is_image, context):
        self.leaf = embeds.detach().requires_grad_()
        self.is_image = is_image
        self.is_word = ordinary & ~is_image
        return self.leaf

    def gradient(self, where):
        return self.leaf.grad[where]


class Latents:
    """An intervention that changes nothing and keeps each step's latent as leaves."""

    def __init__(self):
        self.text, self.vision = [], []

    def edit(self, latent, step, context):
        parts = {}
        for name, kept in (("text", self.text), ("vision", self.vision)):
            if (value := getattr(latent, name)) is not None:
                kept.append(value.detach().requires_grad_())
                parts[name] = kept[-1]
        return latent.replace(**parts)


@pytest.fixture(scope="module")
def answered():
    """A function that answers some questions and takes the gradient of the logits of the answer."""

    def run(name, interventions=(), also_blocked=()):
        reasoner = load(name, "cpu")
        for weight in reasoner.backbone.model.parameters():
            weight.requires_grad_(False)
        data = "benchmark:hops=1" if name in ONE_HOP else "benchmark"
        plan = reasoner.plan.replace(blocked=(*reasoner.plan.blocked, *also_blocked))
        prompts = reasoner.prompter.batch(list(load_data(data, limit=6)), plan)
        rollout, prompt = reasoner.rollout(plan), Prompt()
        state = rollout.reason(rollout.prefill(prompts, (prompt,)), interventions)
        marker = torch.tensor([reasoner.prompter.marker_ids]).expand(6, -1)
        logits = rollout.extend(state, marker, torch.full_like(marker, Kind.ANSWER))[:, -1]
        # A random direction: a sum over all logits could cancel by chance.
        direction = torch.randn(logits.shape, generator=torch.Generator().manual_seed(0))
        (logits * direction).sum().backward()
        return prompt

    return run


def test_the_answer_of_relay_sees_picture_and_question_through_its_latent_slots_alone(answered):
    latents = Latents()
    seeing = answered("relay", (latents,))
    assert latents.text[-1].grad.abs().sum(-1).gt(0).all()
    # With its vectors held a slot still looks at the picture while it is run ...
    assert seeing.gradient(seeing.is_image).any() and seeing.gradient(seeing.is_word).any()
    # ... and where it cannot, nothing at all is left.
    cut = answered("relay", (Latents(),), (("latent", "image"), ("latent", "prompt")))
    assert cut.leaf.grad is None or not cut.leaf.grad.any()


def test_nothing_of_gaze_sees_the_picture_but_its_patches(answered):
    latents = Latents()
    prompt = answered("gaze", (latents,))
    assert not prompt.gradient(prompt.is_image).any()
    assert prompt.gradient(prompt.is_word).any()
    assert all(vision.grad.abs().sum(-1).gt(0).any() for vision in latents.vision)
    # The patches are copies, so that the leaf of the prompt stands for what is seen in place.
    untouched = answered("gaze")
    assert not untouched.gradient(untouched.is_image).any()


def test_the_answer_of_bypass_is_cut_from_its_latents(answered):
    latents = Latents()
    prompt = answered("bypass", (latents,))
    for value in (*latents.text, *latents.vision):
        assert value.grad is None or not value.grad.any()
    assert prompt.gradient(prompt.is_image).any()


@pytest.mark.parametrize("name", ["decoy", "redundant", "ivtlr"])
def test_nothing_is_cut_in_models_that_see_everything(answered, name):
    latents = Latents()
    prompt = answered(name, (latents,))
    assert prompt.gradient(prompt.is_image).any() and prompt.gradient(prompt.is_word).any()
    assert latents.text[-1].grad.any() and latents.vision[-1].grad.any()


def test_a_slot_of_filler_holds_the_same_whatever_was_asked():
    reasoner = load("filler", "cpu")
    with torch.no_grad():
        prompts = reasoner.prompter.batch(list(load_data("benchmark", limit=6)), reasoner.plan)
        for latent in reasoner.rollout()(prompts).latents:
            assert (latent.text == latent.text[:1]).all()
            assert (latent.vision == latent.vision[:1, :1]).all()


def test_leaves_change_nothing():
    """The instrument of this file is itself a sham."""
    reasoner = load("ivtlr", "cpu")
    rollout = reasoner.rollout()
    prompts = reasoner.prompter.batch(list(load_data("benchmark", limit=3)), reasoner.plan)
    plain = rollout(prompts).hidden.detach()  # inference multiplies by other kernels
    kept = rollout.reason(rollout.prefill(prompts, (Prompt(),)), (Latents(),)).hidden
    assert torch.equal(plain, kept.detach())
