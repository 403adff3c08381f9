"""Explicit mode: words as plain chain of thought writes them, and patches where they end."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from latentlab.checkpoint import load, save
from latentlab.data import Example
from latentlab.errors import UserError
from latentlab.prompts import Prompter, PromptFormat
from latentlab.reasoner import Reasoner
from latentlab.reasoning.activations import patched, record
from latentlab.reasoning.greedy import generate
from latentlab.reasoning.interventions import Drop
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.visibility import Kind
from latentlab.reasoning.words import DRAFT, StepEnds

PLAIN = LatentPlan(steps=0, k=0)
WORDS = LatentPlan(steps=3, k=2, content="words", part_order="text_vision")
SEPARATED = PromptFormat(answer_marker="Answer", step_separator=" , ")
QUESTION = "Follow two hops from the red circle."
CHOICES = ("red circle", "red square")
HEAD = 2
"""Seed of a head with which the examples say different things."""


@pytest.fixture
def four(examples: list[Example]) -> list[Example]:
    return [*examples, replace(examples[1], id="e3")]


@pytest.fixture(params=["one token a step", "separator"])
def talkative(request, qwen, chameleon, monkeypatch) -> Reasoner:
    """A model that says many things: what comes next is scattered over a few tokens.

    Once with the tokenizer of the benchmark, which makes every token a step, and once with one that
    writes the separator out, so that steps have several tokens.
    """
    one = request.param == "one token a step"
    base = qwen if one else chameleon
    prompter = base.prompter if one else Prompter(base.prompter.tokenizer, base.backbone, SEPARATED)
    words = "<eos> Answer one two hops" if one else "<eos> Answer , red two one"
    ids = prompter.tokenizer.convert_tokens_to_ids(words.split())
    config = base.backbone.text_config
    generator = torch.Generator().manual_seed(HEAD)
    head = 20 * torch.randn(config.hidden_size, len(ids), generator=generator)
    rare = torch.tensor([-0.6, -0.6] + [0.0] * (len(ids) - 2))

    def logits(hidden: Tensor) -> Tensor:
        values = torch.full((*hidden.shape[:-1], config.vocab_size), -9.0)
        values[..., ids] = (hidden @ head).sin() + rare
        return values

    monkeypatch.setattr(base.backbone, "logits", logits)
    return Reasoner(base.backbone, WORDS, prompter, base.placeholder_id, "talkative")


def ask(reasoner, examples, plan, longest=24, **options):
    rollout = reasoner.rollout(plan, capture_layers=range(2))
    state = rollout(reasoner.prompter.batch(examples, plan))
    return reasoner.decode(rollout, state, examples, longest, **options), state


@torch.no_grad()
@pytest.mark.parametrize("longest", [1, 3, 24])
def test_without_patches_it_is_plain_chain_of_thought(talkative, four, longest):
    answers, state = ask(talkative, four, WORDS.replace(k=0), longest)
    plain, _ = ask(talkative, four, PLAIN, longest)
    assert any(state.written)
    for answer, expected in zip(answers, plain, strict=True):
        assert answer.text == expected.text
        assert answer.choice == expected.choice
        assert answer.new_tokens == expected.new_tokens <= longest
        assert answer.latent_steps == expected.latent_steps == 0
    if longest == 24:
        rollout = talkative.rollout(PLAIN)
        for i, written in enumerate(state.written):
            fresh = rollout(talkative.prompter.batch(four[i : i + 1], PLAIN))
            ids = torch.tensor([written], dtype=torch.long)
            logits = rollout.extend(fresh, ids, torch.full_like(ids, Kind.RATIONALE))[0]
            ours = [step.states[i][step.kinds[i] != Kind.PAD] for step in state.words]
            ours = talkative.backbone.logits(torch.cat([*ours, state.hidden[i : i + 1]]))
            torch.testing.assert_close(ours, logits, atol=2e-3, rtol=1e-3)
            assert fresh.next_position[0] == state.next_position[i]


@torch.no_grad()
def test_patches_left_out_and_closed_up_are_chain_of_thought_without_them(talkative, four):
    """Held positions leave a hole behind every step."""
    rollout = talkative.rollout(WORDS)
    batch = talkative.prompter.batch(four, WORDS)
    _, expected = ask(talkative, four, WORDS.replace(k=0))
    closed = rollout(batch, [Drop("latent_vision", closed=True)])
    held = rollout(batch, [Drop("latent_vision")])
    assert any(expected.written)
    assert closed.written == expected.written
    assert torch.equal(closed.next_position, expected.next_position)
    torch.testing.assert_close(closed.hidden, expected.hidden)
    start = rollout.prefill(batch).next_position
    for state, hole in ((closed, 0), (held, WORDS.k)):
        said = torch.tensor([len(ids) for ids in state.written])
        ended = torch.stack([words.ended for words in state.words]).sum(0)
        assert ended.any()
        assert torch.equal(state.next_position, start + said + hole * ended)


@torch.no_grad()
def test_options_are_scored_after_the_same_words(talkative, four):
    choices = ("red circle", "two")
    asked = [replace(example, choices=choices, answer="two") for example in four]
    answers, _ = ask(talkative, asked, WORDS.replace(k=0), 64)
    plain, _ = ask(talkative, asked, PLAIN, 64)
    marked = [answer.text.count("Answer") > 0 for answer in plain]
    assert any(marked)
    for answer, expected, found in zip(answers, plain, marked, strict=True):
        if found:  # where no answer is announced, plain text has no place for one
            ours = torch.tensor(answer.option_logprobs)
            torch.testing.assert_close(
                ours, torch.tensor(expected.option_logprobs), atol=2e-2, rtol=1e-3
            )


@torch.no_grad()
def test_steps_of_different_lengths_share_a_batch(talkative, four):
    answers, state = ask(talkative, four, WORDS)
    lengths = {len(written) for written in state.written}
    assert len(lengths) > 1
    for i, example in enumerate(four):
        (alone,), own = ask(talkative, [example], WORDS)
        assert answers[i].text == alone.text
        assert answers[i].new_tokens == alone.new_tokens
        assert state.written[i] == own.written[0]
        assert state.next_position[i] == own.next_position[0]
        torch.testing.assert_close(state.hidden[i], own.hidden[0], atol=2e-4, rtol=1e-4)
        for latent, expected in zip(state.latents, own.latents, strict=True):
            assert latent.text is None
            assert latent.picks[i].tolist() == expected.picks[0].tolist()
        taken = [bool(step.ended[i]) for step in state.words]
        assert taken == sorted(taken, reverse=True)  # who stops does not start again
        assert [bool((latent.picks[i] >= 0).all()) for latent in state.latents] == taken


@torch.no_grad()
def test_hooks_meet_the_words_of_a_step_once_and_no_drafts(talkative, four):
    rollout = talkative.rollout(WORDS.replace(k=0))
    batch = talkative.prompter.batch(four, WORDS)
    every: list[tuple[int, int]] = []
    layer = rollout.backbone.layers[0]
    handle = layer.register_forward_hook(
        lambda module, inputs, output: every.append((rollout.pass_index, len(inputs[0][0])))
    )
    state = rollout(batch)
    handle.remove()
    widths = [words.ids.shape[1] for words in state.words]
    passes = [(pass_index, width) for pass_index, width in every if pass_index != DRAFT]
    assert passes[1:] == [(t, n) for t, n in enumerate(widths, 1) if n]
    assert (len(every) > len(passes)) == (max(widths) > 1)
    with record(rollout) as kept:
        rollout(batch)
    with patched(
        rollout, {site: value for site, value in kept.items() if site.pass_index != DRAFT}
    ):
        again = rollout(batch)
    assert again.written == state.written
    assert torch.equal(again.hidden, state.hidden)


@torch.no_grad()
def test_a_prefix_serves_both_modes_and_forks_keep_their_words(talkative, four):
    words = talkative.rollout(WORDS)
    prefix = words.prefill(talkative.prompter.batch(four, WORDS))
    state = words.reason(prefix)
    assert prefix.words == [] and prefix.written == [[], [], [], []]
    latent = talkative.rollout(LatentPlan(steps=2, k=2)).reason(prefix)
    assert latent.words == [] and len(latent.latents) == 2
    fork = state.fork()
    fork.words.clear()
    assert len(state.words) == 3
    eos = talkative.prompter.eos_id
    once = generate(words, state, eos, None, 4)
    assert generate(words, state.fork(), eos, None, 4) == once
    twice = state.repeat(2)
    ids = torch.tensor([[10]]).expand(8, -1)
    words.extend(twice, ids, torch.full_like(ids, Kind.ANSWER))
    torch.testing.assert_close(twice.hidden[::2], twice.hidden[1::2])


@pytest.mark.parametrize(
    ("said", "steps"),
    [
        ("red , two hops , one , Answer", ["red ,", "two hops ,", "one ,"]),
        ("red , Answer", ["red ,", "", ""]),
        ("<eos>", ["", "", ""]),
        ("red square Answer", ["red square", "", ""]),
        ("red one red two red , Answer", ["red one red two", "red ,", ""]),
        (", , Answer", [",", ",", ""]),
    ],
)
@torch.no_grad()
def test_where_a_step_ends(chameleon, examples, monkeypatch, said, steps):
    prompter = Prompter(chameleon.prompter.tokenizer, chameleon.backbone, SEPARATED)
    ids = iter(prompter.tokenizer.convert_tokens_to_ids(said.split()))
    batch = prompter.batch(examples[:1], WORDS)
    rows = torch.eye(chameleon.backbone.text_config.vocab_size)
    monkeypatch.setattr(chameleon.backbone, "logits", lambda hidden: rows[[next(ids)]])
    ends = replace(prompter.step_ends, longest=4)
    last = prompter.tokenizer.convert_tokens_to_ids(said.split()[-1])
    state = Rollout(chameleon.backbone, WORDS, step_ends=ends)(batch)
    assert last in ends.stops or not list(ids)
    decode = prompter.tokenizer.decode
    assert [decode(w.ids[0][w.kinds[0] != Kind.PAD]) for w in state.words] == steps
    # A text that breaks off for the answer has not ended the step: it gets no patches.
    ended = [step not in ("", "red square") for step in steps]
    assert [bool(words.ended) for words in state.words] == ended
    assert [bool((latent.picks >= 0).all()) for latent in state.latents] == ended
    assert int((state.kinds == Kind.LATENT_VISION).sum()) == 2 * sum(ended)


def test_a_separator_may_hide_in_the_token_before_it():
    texts = {1: "a", 2: ".\n", 3: "\n", 4: ". "}
    ends = StepEnds("\n", (3,), lambda ids: "".join(texts[i] for i in ids), frozenset())
    assert ends.split([1, 4, 1, 2, 1, 3], 2, "e") == [[1, 4, 1, 2], [1, 3]]
    assert ends.split([], 0, "e") == []
    for ids in ([1, 4, 1], [1, 2, 1, 2]):
        with pytest.raises(UserError, match=r"e: the 1 steps .* each must end with '\\n'"):
            ends.split(ids, 1, "e")
    bare = StepEnds(", ", (), str, frozenset())
    assert bare.split([1, 4], 2, "e") == [[1], [4]]
    with pytest.raises(UserError, match="each must be one token"):
        bare.split([1, 4], 1, "e")


def test_an_answer_tells_its_words(reasoner, examples, tmp_path):
    spoken = Reasoner(
        reasoner.backbone, WORDS.replace(steps=2), reasoner.prompter, reasoner.placeholder_id
    )
    answered = spoken.answer(examples[0].image, QUESTION, CHOICES, max_new_tokens=200)
    written = answered.trajectory.written[0]
    assert written and answered.answer.text.startswith(reasoner.prompter.decode(written))
    assert answered.answer.latent_steps == 0
    assert answered.answer.new_tokens > len(written)
    assert answered.answer.autoregressive_steps == answered.answer.new_tokens
    assert answered.trajectory.picks.shape == (1, 2, 2)
    save(spoken, tmp_path / "model")
    again = load(str(tmp_path / "model"), "cpu")
    assert again.plan == spoken.plan
    repeated = again.answer(examples[0].image, QUESTION, CHOICES, max_new_tokens=200)
    assert (repeated.answer.text, repeated.trajectory.written) == (
        answered.answer.text,
        answered.trajectory.written,
    )


@torch.no_grad()
def test_an_answer_at_once_follows_the_words(talkative, four):
    answers, state = ask(talkative, four, WORDS, at_once=True)
    for answer, written in zip(answers, state.written, strict=True):
        said = [*written, *talkative.prompter.marker_ids]
        assert answer.text.startswith(talkative.prompter.decode(said))


def test_writing_needs_to_know_where_steps_end(qwen, examples):
    rollout = Rollout(qwen.backbone, WORDS)
    batch = qwen.prompter.batch(examples, WORDS)
    with torch.no_grad(), pytest.raises(ValueError, match="nothing says how steps end"):
        rollout(batch)
