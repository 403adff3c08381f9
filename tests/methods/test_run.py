"""Methods on tiny models of every family: as a batch and one by one, with costs counted anew."""

import pytest
import torch

from latentlab.data.example import Example
from latentlab.methods import METHODS
from latentlab.methods import check as checks
from latentlab.methods.run import question_of, run_method
from latentlab.methods.speaker import Speaker
from tests.conftest import picture
from tests.tiny.families import TINY

CHOICES = ("red circle", "blue square")
QUESTIONS = ("What is shown here?", "Which shape?", "Follow one hop from the red circle.")
EXAMPLES = [
    Example(f"e{i}", text, CHOICES, CHOICES[i % 2], picture(3, 3 + i, seed=i))
    for i, text in enumerate(QUESTIONS)
]


@pytest.fixture(scope="module", params=TINY)
def model(request):
    return TINY[request.param]()


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Reasoning of a few tokens is enough to see what becomes of it."""
    for name in METHODS:
        module = __import__(f"latentlab.methods.{METHODS[name].ask.__module__.split('.')[-1]}")
        module = getattr(module.methods, METHODS[name].ask.__module__.split(".")[-1])
        if hasattr(module, "REASONING"):
            monkeypatch.setattr(module, "REASONING", 5)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_says_what_each_says_alone(model, method):
    if METHODS[method].unfit(model.plan, model.brings_plan):
        pytest.skip("the plan is not this method's")
    together = run_method(model, METHODS[method], EXAMPLES, 4)
    for example, told in zip(EXAMPLES, together, strict=True):
        (alone,) = run_method(model, METHODS[method], [example], 4)
        assert alone.answer.text == told.answer.text
        assert alone.failures == told.failures
        assert alone.forward_tokens == told.forward_tokens
        assert alone.answer.option_logprobs == pytest.approx(told.answer.option_logprobs, abs=1e-3)


def test_costs_are_those_that_the_decoder_sees(model):
    """Counted once more, from what goes into the decoder of one question."""
    for method in METHODS.values():
        if method.unfit(model.plan, model.brings_plan):
            continue
        (told,) = run_method(model, method, EXAMPLES[:1], 4)
        prompts = []
        speaker = Speaker(model)

        class Listening:
            def say(self, calls, names, options):
                prompts.append(int(speaker.batch(calls, names).attention_mask.sum()))
                return speaker.say(calls, names, options)

        run_method(model, method, EXAMPLES[:1], 4, speaker=Listening())
        assert len(prompts) == len(told.said)
        for tokens, (_, said) in zip(prompts, told.said, strict=True):
            if not said.latent_steps and method.name != "icot":
                assert said.forward_tokens == tokens + said.new_tokens - 1


def test_the_prompt_is_that_of_the_models_own_template(model):
    call = next(METHODS["no_cot"].ask(question_of(model, EXAMPLES[0], 4)))
    batch = Speaker(model).batch([call], ["e0"])
    own = Example("o", "?", (), "", EXAMPLES[0].image)
    patches = model.batch([own]).input_ids.eq(model.backbone.image_token_id).sum()
    assert batch.input_ids.eq(model.backbone.image_token_id).sum() == patches


def test_a_text_alone_can_be_asked(model):
    bare = Example("t", "What is shown here?", CHOICES, CHOICES[0], None)
    (told,) = run_method(model, METHODS["cot"], [bare], 4)
    assert told.pictures == 0
    assert torch.tensor(told.answer.option_logprobs).isfinite().all()


def test_what_does_not_go_together_is_one_line(model, monkeypatch):
    bare = Example("t", "What is shown here?", CHOICES, CHOICES[0], None)
    found = checks.misfit(model, METHODS["ccot"], [bare])
    assert found == "method ccot needs a picture, and t has none"
    found = checks.misfit(model, METHODS["cot"], EXAMPLES)
    assert "does not know" in found
    monkeypatch.setattr(checks, "MOST_UNKNOWN", 1)
    assert checks.misfit(model, METHODS["cot"], EXAMPLES) == ""
    long = Example("t", "hop " * 6000, CHOICES, CHOICES[0], EXAMPLES[0].image)
    assert "more than the" in checks.misfit(model, METHODS["cot"], [long])
