"""Asking: a picture in any guise, answers that agree with themselves, errors in one line."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.data import Example
from latentlab.data.pictures import open_picture
from latentlab.errors import UserError
from latentlab.reasoning.greedy import generate, greedy
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.visibility import Kind

QUESTION = "Follow two hops from the red circle."
CHOICES = ("red circle", "red square", "circle")


def facts(answered):
    """An answer without the time it took."""
    answer = answered.answer
    return answer.text, answer.choice, answer.option_logprobs, answer.new_tokens


def test_a_picture_is_a_path_an_array_or_an_image(reasoner, examples, tmp_path):
    image = examples[1].image
    path = tmp_path / "picture.png"
    image.save(path)
    pictures = [image, np.asarray(image), path, str(path), image.convert("RGBA")]
    answers = [reasoner.answer(picture, QUESTION, CHOICES) for picture in pictures]
    assert len({facts(answer) for answer in answers}) == 1
    answered = answers[0]
    assert str(answered) == answered.answer.text
    assert answered.example.question == QUESTION
    assert answered.example.answer == ""
    assert len(answered.answer.option_logprobs) == 3
    assert answered.answer.latent_steps == 2
    assert answered.answer.autoregressive_steps == 2 + answered.answer.new_tokens


def test_an_answer_carries_its_trajectory(reasoner, examples):
    answered = reasoner.answer(examples[0].image, QUESTION)
    state = answered.trajectory
    assert state.picks.shape == (1, 2, 2)
    assert state.layers == (0, 1)
    assert [len(row) for row in state.rows] == [2, 2]
    assert answered.answer.option_logprobs == ()
    assert answered.answer.choice is None
    assert answered.answer.likeliest is None


def test_the_likeliest_choice_has_the_highest_score(reasoner, examples):
    answer = reasoner.answer(examples[0].image, QUESTION, CHOICES).answer
    assert answer.likeliest == max(range(3), key=lambda i: answer.option_logprobs[i])
    assert max(answer.option_logprobs) < 0


def test_gray_and_transparent_pictures_become_rgb():
    for picture in (np.zeros((56, 56), np.uint8), np.zeros((56, 56, 4), np.uint8)):
        opened = open_picture(picture)
        assert (opened.mode, opened.size) == ("RGB", (56, 56))
    assert open_picture(None) is None


def test_refuses_what_is_no_picture(qwen, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no picture")
    broken = tmp_path / "broken.png"
    noise = np.random.default_rng(0).integers(256, size=(60, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(broken)
    whole = broken.read_bytes()
    for content in (whole[:200], whole[:-2000], whole[:300] + bytes(50) + whole[350:]):
        broken.write_bytes(content)
        with pytest.raises(UserError, match=r"cannot read the picture .*broken.png"):
            qwen.answer(broken, QUESTION)
    for path in (text, tmp_path / "nothing.png", tmp_path):
        with pytest.raises(UserError, match=f"cannot read the picture {path}"):
            qwen.answer(path, QUESTION)
    with pytest.raises(UserError, match="has to be uint8, not float64"):
        qwen.answer(np.zeros((56, 56, 3)), QUESTION)
    with pytest.raises(UserError, match=r"shape \(2, 3, 4, 5\) is no picture"):
        qwen.answer(np.zeros((2, 3, 4, 5), np.uint8), QUESTION)
    with pytest.raises(UserError, match="has no image, but the plan re-inserts image patches"):
        qwen.answer(None, QUESTION)


@pytest.mark.parametrize("at_once", [False, True])
def test_answers_do_not_depend_on_the_batch(reasoner, examples, at_once):
    """Also where only some examples have choices."""
    asked = [*examples, Example("open", QUESTION, (), "", examples[0].image)]
    rollout = reasoner.rollout()

    def decode(batch_of):
        batch = reasoner.prompter.batch(batch_of, reasoner.plan)
        with torch.no_grad():
            return reasoner.decode(rollout, rollout(batch), batch_of, 8, at_once=at_once)

    for together, example in zip(decode(asked), asked, strict=True):
        (alone,) = decode([example])
        assert (together.text, together.choice) == (alone.text, alone.choice)
        assert together.at_once == alone.at_once
        expected = pytest.approx(alone.option_logprobs, abs=1e-4)
        assert together.option_logprobs == expected
        assert len(together.option_logprobs) == len(example.choices)


@torch.no_grad()
def test_an_answer_at_once_follows_the_marker(reasoner, examples):
    rollout = reasoner.rollout()
    state = rollout(reasoner.prompter.batch(examples, reasoner.plan))
    marker = torch.tensor([reasoner.prompter.marker_ids] * 3)
    marked = state.fork()
    rollout.extend(marked, marker, torch.full_like(marker, Kind.ANSWER))
    expected = generate(rollout, marked, reasoner.prompter.eos_id, None, 5)
    answers = reasoner.decode(rollout, state, examples, max_new_tokens=5, at_once=True)
    free = reasoner.decode(rollout, state, examples, max_new_tokens=5)
    for answer, ids, other in zip(answers, expected, free, strict=True):
        said = [*reasoner.prompter.marker_ids, *ids]
        assert answer.text == reasoner.prompter.decode(said)
        assert answer.new_tokens == len(ids)
        assert answer.at_once == other.at_once == other.text.startswith("Answer")


def scripted(reasoner, monkeypatch, tokens):
    """Let the model say given tokens, whatever it computes."""
    said = reasoner.prompter.tokenizer.convert_tokens_to_ids(tokens)

    def saying(*args):
        return dataclasses.replace(greedy(*args), outputs=[list(said)])

    monkeypatch.setattr("latentlab.reasoner.greedy", saying)


@pytest.mark.parametrize(
    ("tokens", "choice", "text"),
    [
        ("Answer : B <eos>", 1, "Answer : B"),
        ("red Answer : A . red circle <eos>", 0, "red Answer : A . red circle"),
        ("Answer : A Answer : B <eos>", 1, "Answer : A Answer : B"),
        ("Answer : D <eos>", None, "Answer : D"),
        ("Answer : red circle <eos>", None, "Answer : red circle"),
        ("Answer B <eos>", None, "Answer B"),
        ("B <eos>", 1, "B"),
        ("<eos>", None, ""),
    ],
)
def test_the_answer_stands_after_the_last_marker(
    chameleon, examples, monkeypatch, tokens, choice, text
):
    scripted(chameleon, monkeypatch, tokens.split())
    answer = chameleon.answer(examples[0].image, QUESTION, CHOICES).answer
    assert (answer.choice, answer.text) == (choice, text)
    assert answer.new_tokens == len(tokens.split())
    assert len(answer.option_logprobs) == 3


def test_a_text_is_scored_under_the_kinds_it_was_written_under(reasoner):
    """All from the first marker on is answer, also where the model writes the marker again."""
    marker = reasoner.prompter.marker_ids
    a, b, c, d = [token for token in range(40) if token not in marker][:4]
    for before, between, turn in (([a, b], [c], 2), ([], [c, d], 0), ([a], [], 1)):
        ids, kinds = reasoner._before_answer([*before, *marker, *between, *marker, d])
        assert ids == [*before, *marker, *between, *marker]
        assert kinds == [Kind.RATIONALE] * turn + [Kind.ANSWER] * (len(ids) - turn)
    ids, kinds = reasoner._before_answer([a, b])  # it never came to its answer
    assert (ids, kinds) == (marker, [Kind.ANSWER] * len(marker))


def test_plans_and_seeds_may_be_another_than_the_models_own(reasoner):
    assert reasoner.rollout().plan is reasoner.plan
    plan = LatentPlan(steps=1, k=1, select="random")
    rollout = reasoner.rollout(plan, seed=5)
    assert (rollout.plan, rollout.seed) == (plan, 5)
