"""Methods on tiny models of every family: as a batch and one by one, with costs counted anew."""

from importlib import import_module

import pytest
import torch

from latentlab.data.example import Example
from latentlab.methods import METHODS, icot
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
    """A few tokens and patches are enough to see what becomes of them."""
    for method in METHODS.values():
        module = import_module(method.ask.__module__)
        if hasattr(module, "REASONING"):
            monkeypatch.setattr(module, "REASONING", 6)
    monkeypatch.setattr(icot, "PATCHES", 2)


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


class Listening:
    """The model, and the length of every prompt that it reads."""

    def __init__(self, model):
        self.speaker, self.prompts = Speaker(model), []

    def say(self, calls, names, options):
        self.prompts.append(int(self.speaker.batch(calls, names).attention_mask.sum()))
        return self.speaker.say(calls, names, options)


@pytest.mark.parametrize("method", METHODS)
def test_costs_are_those_of_prompts_steps_and_written_tokens(model, method):
    if METHODS[method].unfit(model.plan, model.brings_plan):
        pytest.skip("the plan is not this method's")
    heard = Listening(model)
    (told,) = run_method(model, METHODS[method], EXAMPLES[:1], 4, speaker=heard)
    assert len(heard.prompts) == len(told.said)
    for tokens, (_, said) in zip(heard.prompts, told.said, strict=True):
        slots = said.latent_steps * (model.plan.k + 1)
        fed = said.forward_tokens - tokens - slots - said.new_tokens + 1
        # Between written lines come whole sets of patches.
        assert fed % icot.PATCHES == 0 if method == "icot" else fed == 0
    assert told.answer.latent_steps == (model.plan.steps if method == "ivtlr" else 0)


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
