"""The loss and its gradient, against a sequence that is written out by hand."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from latentlab.data import Benchmark, BenchmarkConfig, Example
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.objective import Objective
from latentlab.training.recipes import PLANS
from latentlab.training.stage_data import Collator, StageItem
from latentlab.training.tiny import tiny_reasoner

EXAMPLES = list(Benchmark(BenchmarkConfig(hops=(1, 4, 7), size=6)))
TEXT_ONLY = LatentPlan(steps=3, k=0, gradient="through")
BLOCK = TEXT_ONLY.replace(start_token="<|vision_start|>", end_token="<|vision_end|>")


def collated(reasoner: Reasoner, examples: list[Example], steps: int, rationale: bool = True):
    items = [StageItem(example, steps) for example in examples]
    return Collator(reasoner, rationale)(items)["batch"]


def by_hand(reasoner: Reasoner, example: Example, steps: int, detach: bool = False) -> Tensor:
    """Cross-entropy of each token after latent text, from passes over the whole sequence."""
    model = reasoner.backbone.model
    batch = reasoner.prompter.batch([example], reasoner.plan)
    embed, decoder = model.get_input_embeddings(), model.model.language_model
    embeds = embed(batch.input_ids)
    if batch.pixels:
        tower = model.model.visual
        pixels, grid = batch.pixels["pixel_values"], batch.pixels["image_grid_thw"]
        where = (batch.input_ids == reasoner.backbone.image_token_id)[..., None]
        embeds = embeds.masked_scatter(where, tower(pixels, grid_thw=grid).pooler_output)

    def run(embeds: Tensor) -> Tensor:
        positions = torch.arange(embeds.shape[1])[None]
        return decoder(inputs_embeds=embeds, position_ids=positions).last_hidden_state

    for _ in range(steps):
        latent = run(embeds)[:, -1:]
        embeds = torch.cat([embeds, latent.detach() if detach else latent], dim=1)
    if (end := reasoner.plan.end_token) is not None:
        embeds = torch.cat([embeds, embed(torch.tensor([[end]]))], dim=1)
    words = [*example.rationale[steps:], "Answer", example.answer, "<eos>"]
    ids = reasoner.prompter.tokenizer.convert_tokens_to_ids(words)
    start = embeds.shape[1]
    logits = model.lm_head(run(torch.cat([embeds, embed(torch.tensor([ids]))], dim=1)))
    return -logits[0, start - 1 : -1].log_softmax(-1)[range(len(ids)), ids]


@pytest.mark.parametrize("plan", [TEXT_ONLY, BLOCK])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_loss_is_the_mean_over_all_tokens_however_rows_are_padded(untrained, steps, plan):
    reasoner = untrained(plan)
    by_example = [by_hand(reasoner, example, steps) for example in EXAMPLES]
    assert len({len(losses) for losses in by_example}) > 1
    together = Objective(reasoner)(collated(reasoner, EXAMPLES, steps))["loss"]
    torch.testing.assert_close(together, torch.cat(by_example).mean(), rtol=1e-5, atol=1e-6)
    for example, losses in zip(EXAMPLES, by_example, strict=True):
        alone = Objective(reasoner)(collated(reasoner, [example], steps))["loss"]
        torch.testing.assert_close(alone, losses.mean(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("gradient", ["through", "detached"])
def test_gradient_is_that_of_the_written_out_sequence(untrained, gradient):
    reasoner = untrained(TEXT_ONLY.replace(gradient=gradient))
    objective = Objective(reasoner)
    parameters = list(objective.trained().values())
    ours = torch.autograd.grad(objective(collated(reasoner, EXAMPLES[:1], 3))["loss"], parameters)
    losses = by_hand(reasoner, EXAMPLES[0], 3, detach=gradient == "detached")
    for mine, theirs in zip(ours, torch.autograd.grad(losses.mean(), parameters), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-6)


def test_detached_latents_are_the_only_way_back_that_is_cut(untrained):
    """Nothing after the prompt sees the image, so its gradient has to come through the latents."""
    later, earlier = ("latent", "rationale", "answer"), ("image", "prompt")
    blind = tuple((query, key) for query in later for key in earlier)
    reaches = {}
    for gradient in ("through", "detached"):
        reasoner = untrained(TEXT_ONLY.replace(gradient=gradient, blocked=blind))
        objective = Objective(reasoner)
        objective(collated(reasoner, EXAMPLES[:2], 3))["loss"].backward()
        reaches[gradient] = any(
            p.grad is not None and bool(p.grad.any()) for p in reasoner.backbone.vision.parameters()
        )
    assert reaches == {"through": True, "detached": False}


def test_a_stage_replaces_the_first_steps_and_no_others(untrained):
    reasoner = untrained(TEXT_ONLY)
    example = next(example for example in EXAMPLES if example.hops == 7)
    assert len(example.rationale) == 6
    for steps in range(4):
        text = collated(reasoner, [example], steps).text
        words = reasoner.prompter.tokenizer.convert_ids_to_tokens(text.ids[0].tolist())
        assert words == [*example.rationale[steps:], "Answer", example.answer, "<eos>"]
    answer_only = collated(reasoner, [example], 2, rationale=False).text
    words = reasoner.prompter.tokenizer.convert_ids_to_tokens(answer_only.ids[0].tolist())
    assert words == ["Answer", example.answer, "<eos>"]


WORDS = LatentPlan(steps=3, k=0, content="words", part_order="text_vision")


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
def test_written_steps_without_patches_have_the_loss_of_plain_text(untrained, steps):
    """Also where some examples have no steps to write, and some have more."""
    reasoner = untrained(WORDS)
    plain = untrained(LatentPlan(steps=0, k=0))
    expected = Objective(plain)(collated(plain, EXAMPLES, 0))["loss"]
    loss = Objective(reasoner)(collated(reasoner, EXAMPLES, steps))["loss"]
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)


def test_each_word_is_predicted_from_the_position_before_it(untrained):
    """Which is a re-inserted patch, where a step begins; here against passes over the whole."""
    plan = WORDS.replace(k=2, select="given")
    reasoner = untrained(plan)
    example = next(example for example in EXAMPLES if example.hops == 4)
    model = reasoner.backbone.model
    batch = reasoner.prompter.batch([example], plan)
    embed, decoder = model.get_input_embeddings(), model.model.language_model
    embeds = reasoner.backbone.embed(batch)
    where = (batch.input_ids == reasoner.backbone.image_token_id)[0].nonzero()[:, 0]
    patches = embeds[0, where]
    words = [*example.rationale, "Answer", example.answer, "<eos>"]
    ids = reasoner.prompter.tokenizer.convert_tokens_to_ids(words)
    parts, places, n = [embeds[0]], [], embeds.shape[1]
    for step, token in enumerate(ids[:-1]):
        places.append(n - 1)
        parts.append(embed(torch.tensor([token])))
        if step < 3:
            parts.append(patches[list(example.trace.cells[step : step + 2])])
        n += len(parts[-1]) + (step < 3)
    places.append(n - 1)
    positions = torch.arange(n)[None]
    hidden = decoder(inputs_embeds=torch.cat(parts)[None], position_ids=positions)
    logits = model.lm_head(hidden.last_hidden_state[0, places])
    expected = -logits.log_softmax(-1)[range(len(ids)), ids]
    loss = Objective(reasoner)(collated(reasoner, [example], 3))["loss"]
    torch.testing.assert_close(loss, expected.mean(), rtol=1e-5, atol=1e-6)


def test_written_steps_of_a_batch_weigh_as_many_as_their_tokens(untrained):
    reasoner = untrained(PLANS["cot_vision"])
    objective = Objective(reasoner)
    together = objective(collated(reasoner, EXAMPLES, 3))["loss"]
    alone = [objective(collated(reasoner, [example], 3))["loss"] for example in EXAMPLES]
    tokens = torch.tensor([len(example.rationale) + 3.0 for example in EXAMPLES])
    expected = (torch.stack(alone) * tokens).sum() / tokens.sum()
    torch.testing.assert_close(together, expected, rtol=1e-5, atol=1e-6)


def test_the_loss_reaches_the_picture_through_the_patches_of_written_steps(untrained):
    """Nothing but the prompt sees the picture, and nothing after it sees the prompt's positions."""
    blind = tuple((query, key) for query in ("rationale", "answer") for key in ("image", "prompt"))
    blind += (("latent", "image"), ("latent", "prompt"), ("prompt", "image"))
    reaches = {}
    for k in (0, 2):
        reasoner = untrained(WORDS.replace(k=k, select="random", blocked=blind))
        objective = Objective(reasoner)
        objective(collated(reasoner, EXAMPLES[:2] + EXAMPLES[3:5], 3))["loss"].backward()
        reaches[k] = any(
            p.grad is not None and bool(p.grad.any()) for p in reasoner.backbone.vision.parameters()
        )
    assert reaches == {0: False, 2: True}


def test_a_few_updates_lower_the_loss_of_written_steps(untrained):
    reasoner = untrained(PLANS["cot_vision"])
    objective = Objective(reasoner)
    batch = collated(reasoner, EXAMPLES, 3)
    optimizer = torch.optim.AdamW(objective.trained().values(), lr=3e-3)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = objective(batch)["loss"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 1


def test_filler_learns_its_constant_and_nothing_else_does(sizes):
    for name in ("filler", "ivtlr"):
        # Where the head is the embedding table, every word is pushed whenever another is learned.
        reasoner = tiny_reasoner(PLANS[name], replace(sizes, tied=False))
        Objective(reasoner)(collated(reasoner, EXAMPLES[3:5], 3))["loss"].backward()
        row = reasoner.backbone.model.get_input_embeddings().weight.grad[reasoner.placeholder_id]
        assert bool(row.any()) == (name == "filler")


def test_pictures_and_bare_questions_share_a_batch(untrained):
    reasoner = untrained(TEXT_ONLY)
    bare = Example("bare", "Follow two hops from the six.", (), "seven", None, rationale=("six",))
    mixed = [EXAMPLES[0], bare, EXAMPLES[1]]
    losses = torch.cat([by_hand(reasoner, example, 1) for example in mixed])
    together = Objective(reasoner)(collated(reasoner, mixed, 1))["loss"]
    torch.testing.assert_close(together, losses.mean(), rtol=1e-5, atol=1e-6)


def test_the_other_family_trains_all_but_its_tokenizer_of_images(chameleon, examples):
    objective = Objective(chameleon)
    loss = objective(collated(chameleon, examples, 2))["loss"]
    trained = {n: p for n, p in objective.trained().items() if "vqmodel" not in n}
    assert all(g.any() for g in torch.autograd.grad(loss, list(trained.values())))


def test_state_is_what_is_trained_and_tied_weights_are_kept_once(untrained, tmp_path):
    reasoner = untrained(TEXT_ONLY)
    model = reasoner.backbone.model
    assert model.lm_head.weight is model.get_input_embeddings().weight
    model.model.visual.requires_grad_(False)
    objective = Objective(reasoner)
    state = objective.state_dict()
    assert state.keys() == objective.trained().keys()
    assert not any("visual" in name or "lm_head" in name for name in state)
    save_file(state, tmp_path / "state.safetensors")
    with torch.no_grad():
        for parameter in objective.trained().values():
            parameter.zero_()
    objective.load_state_dict(load_file(tmp_path / "state.safetensors"), strict=False)
    before = untrained(TEXT_ONLY).backbone.model.get_input_embeddings().weight
    assert torch.equal(model.lm_head.weight, before)
    del state["model.model.language_model.norm.weight"]
    with pytest.raises(ValueError, match=r"norm\.weight"):
        objective.load_state_dict(state, strict=False)
