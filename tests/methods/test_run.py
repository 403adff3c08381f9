"""Methods on tiny models of every family: as a batch and one by one, with costs counted anew."""

from importlib import import_module

import pytest
import torch
from PIL import Image

from latentlab.data.example import Example
from latentlab.methods import METHODS, chain_of_focus, icot
from latentlab.methods import check as checks
from latentlab.methods.call import Call, Turn
from latentlab.methods.dots import dotted, places
from latentlab.methods.newlines import Newlines
from latentlab.methods.run import question_of, run_method
from latentlab.methods.speaker import Speaker
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
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
    assert told.answer.latent_steps == (model.plan.steps if method in ("ivtlr", "own") else 0)


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


def test_several_pictures_in_a_prompt_are_those_of_the_family(model):
    """Two pictures and one, in one batch: hidden states are those of transformers' own forward."""
    first, second = (example.image for example in EXAMPLES[:2])
    question = question_of(model, EXAMPLES[0], 4)
    calls = [
        Call("two", question.asked(first, "Which shape?", second, "What is shown here?"), 4),
        Call("one", question.asked(second, "What is shown here?"), 4),
    ]
    speaker = Speaker(model)
    batch = speaker.batch(calls, ["two", "one"])
    counts = batch.input_ids.eq(model.backbone.image_token_id).sum(-1).tolist()
    alone = [model.batch([example]).input_ids for example in EXAMPLES[:2]]
    patches = [int(ids.eq(model.backbone.image_token_id).sum()) for ids in alone]
    assert counts == [sum(patches), patches[1]]
    rollout = Rollout(model.backbone, LatentPlan(steps=0, k=0, positions="mrope"))
    with torch.no_grad():
        ours = rollout.prefill(batch).hidden
        with model.backbone.eager():
            theirs = model.backbone.model.model(**model.backbone.own_inputs(batch))
    assert torch.allclose(ours, theirs.last_hidden_state[:, -1], atol=1e-3)


def test_a_template_that_writes_one_picture_is_refused_where_two_are_needed(monkeypatch):
    model = TINY["qwen2_vl"]()
    slot = "<|vision_start|><|image_pad|><|vision_end|>"
    template = "{% for m in messages %}" + slot + "{{ m['content'][-1]['text'] }}{% endfor %}"
    monkeypatch.setattr(model.prompter.tokenizer, "chat_template", template)
    monkeypatch.setattr(checks, "MOST_UNKNOWN", 1)
    for name, count in (("scaffold", 2), ("chain_of_focus", 7)):
        assert METHODS[name].pictures + METHODS[name].adds_pictures == count
        found = checks.misfit(model, METHODS[name], EXAMPLES)
        assert found.endswith("several pictures, and the model's chat template writes one only")
    assert checks.misfit(model, METHODS["scaffold_one"], EXAMPLES) == ""


def test_dots_lie_where_they_say_and_stand_out():
    wide = Image.new("RGB", (700, 70), "white")
    shown = dotted(wide)
    assert shown.size == wide.size
    assert wide.getpixel((100, 10)) == (255, 255, 255)
    assert [shown.getpixel((100 * i, 10 * i)) for i in range(1, 7)] == [(0, 0, 0)] * 6
    assert dotted(Image.new("RGB", (70, 70))).getpixel((10, 10)) == (255, 255, 255)
    assert places(700, 70)[1] == (1, 2, 200, 10)
    assert len(places(700, 70)) == 36


def test_endless_zoom_on_a_real_model_reads_every_crop_again(model, monkeypatch):
    """As a batch and alone, with a prompt that grows by a picture and two turns a call."""
    monkeypatch.setattr(chain_of_focus, "wants_zoom", lambda reply: True)
    monkeypatch.setattr(chain_of_focus, "box_of", lambda reply: (5.0, 5.0, 40.0, 40.0))
    monkeypatch.setattr(chain_of_focus, "REASONING", 0)
    together = run_method(model, METHODS["chain_of_focus"], EXAMPLES, 2)
    (alone,) = run_method(model, METHODS["chain_of_focus"], EXAMPLES[1:2], 2)
    told = together[1]
    assert [reply.text for _, reply in alone.said] == [reply.text for _, reply in told.said]
    assert [reply.forward_tokens for _, reply in alone.said] == [
        reply.forward_tokens for _, reply in told.said
    ]
    assert [reply.pictures for _, reply in told.said] == [1, 2, 3, 4, 5, 6, 7]
    assert told.failures[0] == "endless zoom"


def test_icot_shows_patches_again_at_every_second_line_break():
    ends = Newlines("\n", (), "".join, frozenset(), 9, every=2)
    assert not ends.ends(["a", "\n"])
    assert not ends.ends(["a", "\n", "b"])
    assert ends.ends(["a", "\n", "b", ".\n"])
    assert not ends.ends(["\n\n"])
    assert ends.ends(["x"] * 9)


def test_turns_are_worded_by_the_models_own_template(monkeypatch):
    model = TINY["qwen2_vl"]()
    template = (
        "{% for m in messages %}<{{ m['role'] }}>{% for p in m['content'] %}"
        "{{ '<|image_pad|>' if p['type'] == 'image' else p['text'] }}{% endfor %}{% endfor %}"
        "{% if add_generation_prompt %}<assistant>{% endif %}"
    )
    monkeypatch.setattr(model.prompter.tokenizer, "chat_template", template)
    image = EXAMPLES[0].image
    turns = (Turn("user", (image, "a")), Turn("assistant", ("b",)), Turn("user", (image, "c")))
    text = Speaker(model).text(Call("look", turns, 4), ["[1]", "[2]"])
    assert text == "<user>[1]a<assistant>b<user>[2]c<assistant>"
