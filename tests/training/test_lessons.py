"""Training on dialogues, against the training on what is left to write and against plain passes."""

import dataclasses

import pytest
import torch
from torch.nn.functional import cross_entropy

from latentlab.data import Benchmark, BenchmarkConfig
from latentlab.errors import UserError
from latentlab.methods.call import Call, Method
from latentlab.methods.speaker import Speaker
from latentlab.methods.taught import TAUGHT, Lesson, lesson_of
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.lessons import NOTHING, dialogue_batch, dialogues_of
from latentlab.training.objective import Objective
from latentlab.training.stage_data import Collator, StageItem
from latentlab.training.tiny import tiny_reasoner

EXAMPLES = list(Benchmark(BenchmarkConfig(hops=(1, 4, 2), size=5)))
NO_STEPS = LatentPlan(steps=0, k=0)


@pytest.fixture(scope="module")
def model():
    return tiny_reasoner(NO_STEPS)


def _written(question):
    yield Call("all", question.own, 64)
    return ()


def test_a_lesson_of_one_reply_is_the_training_on_a_rationale(model):
    plain = Collator(model, rationale=True)([StageItem(example, 0) for example in EXAMPLES])
    lesson = Lesson(Method("x", "", _written), lambda example: (", ".join(example.rationale),))
    ours = dialogue_batch(lesson, model, EXAMPLES)
    objective = Objective(model)
    assert ours.n_targets == plain["batch"].n_targets
    torch.testing.assert_close(objective(ours)["loss"], objective(**plain)["loss"])


@pytest.mark.parametrize("name", TAUGHT)
def test_the_loss_is_that_of_every_reply_after_what_is_asked(model, name):
    lesson, speaker, prompter = lesson_of(name), Speaker(model), model.prompter
    losses = []
    for example in EXAMPLES:
        for dialogue in dialogues_of(lesson, model, example):
            for call, reply in zip(dialogue.calls, dialogue.replies, strict=True):
                # One pass for each call, over the prompt that is asked when the method is run.
                batch = speaker.batch([call], [example.id])
                words = torch.tensor([[*prompter.encode(reply), prompter.eos_id]])
                whole = dataclasses.replace(
                    batch,
                    input_ids=torch.cat([batch.input_ids, words[:, :-1]], 1),
                    attention_mask=torch.cat(
                        [batch.attention_mask, torch.ones_like(words[:, :-1], dtype=torch.bool)], 1
                    ),
                )
                with torch.no_grad():
                    logits = model.backbone.logits(model.rollout().read(whole))[0]
                wanted = logits[batch.input_ids.shape[1] - 1 :]
                losses.append(cross_entropy(wanted, words[0], reduction="none"))
    batch = dialogue_batch(lesson, model, EXAMPLES)
    expected = torch.cat(losses)
    assert batch.n_targets == len(expected)
    with torch.no_grad():
        found = Objective(model)(batch)["loss"]
    torch.testing.assert_close(found, expected.mean(), rtol=1e-4, atol=1e-5)


def test_looks_are_one_dialogue_and_two_calls_are_two(model):
    example = next(one for one in EXAMPLES if one.hops == 4)
    (looks,) = dialogues_of(lesson_of("chain_of_focus"), model, example)
    assert len(looks.calls) == 5
    assert len(dialogues_of(lesson_of("multimodal_cot"), model, example)) == 2


def test_prompts_are_not_learned(model):
    batch = dialogue_batch(lesson_of("chain_of_focus"), model, EXAMPLES)
    images = batch.dialogues.input_ids == model.backbone.image_token_id
    assert (batch.targets[images] == NOTHING).all()
    assert (batch.targets[~batch.dialogues.attention_mask] == NOTHING).all()


def test_a_training_collates_the_lessons_of_its_method(model):
    model.method = "capimagine"
    try:
        batch = Collator(model, rationale=True)([StageItem(example, 0) for example in EXAMPLES])
    finally:
        model.method = ""
    expected = dialogue_batch(lesson_of("capimagine"), model, EXAMPLES)
    assert torch.equal(batch["batch"].targets, expected.targets)


def test_an_example_without_a_trace_cannot_be_taught(model):
    bare = dataclasses.replace(EXAMPLES[0], trace=None)
    with pytest.raises(UserError, match="no trace"):
        dialogue_batch(lesson_of("ccot"), model, [bare])


@pytest.mark.parametrize(
    ("method", "plan", "message"),
    [("ccott", NO_STEPS, "ccot"), ("ccot", LatentPlan(steps=1, k=0), "takes no steps")],
)
def test_a_training_refuses_methods_that_it_cannot_follow(method, plan, message):
    stage = StageConfig("s", updates=1, latent_steps=plan.steps)
    with pytest.raises(UserError, match=message):
        TrainConfig("t", (stage,), plan, method=method)
