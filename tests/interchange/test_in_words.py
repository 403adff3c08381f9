"""Interchange in words: answers follow the words of another start, and words that mislead."""

import pytest

from latentlab.checkpoint import load
from latentlab.data import Benchmark, load_data
from latentlab.errors import UserError
from latentlab.interchange.config import InterchangeConfig
from latentlab.measures.outcomes import NONE
from latentlab.methods.taught import lesson_of

DATA = load_data("benchmark:size=8")
EVERY = {"batch_size": 8, "donor": ("same_image", "self", "counterfactual"), "steps": ("all",)}


@pytest.fixture(scope="module")
def cot():
    return load("cot")


def test_answers_follow_the_words_that_are_put_in(cot, measured):
    rows = measured("interchange", InterchangeConfig(**EVERY), cot, DATA)
    swapped = rows[rows["intervention"] != NONE]
    of = dict(iter(swapped.groupby("donor")))
    assert of["same_image"]["follows_donor"].mean() > 0.6
    assert not of["same_image"]["keeps_own"].any()
    assert (of["self"][["flip", "kl"]] == 0).all(axis=None)
    misled, sham = (of["counterfactual"].query(f"sham == '{name}'") for name in ("", "self"))
    # do(Z): accuracy falls, answers become what the words say, and the sham does nothing.
    assert misled["own_lift"].mean() < -0.6
    assert misled["follows_donor"].mean() > 0.6
    assert (misled["hop"] == 3).all()  # of four: the last mark is not told of
    assert (sham[["flip", "kl"]] == 0).all(axis=None)


def test_words_that_do_not_change_are_left_out(cot, measured):
    """A chain of thought ends before its last hop, whose mark therefore misleads nobody."""
    config = InterchangeConfig(donor=("counterfactual",), hop=(4,), steps=("all",), batch_size=8)
    assert measured("interchange", config, cot, DATA).empty


def test_a_scene_graph_holds_every_mark_and_says_nothing_of_the_question(measured):
    """Of a picture asked from another start a teacher's graph is the same."""
    replies = lesson_of("ccot").replies
    assert replies(DATA[0]) == replies(Benchmark().restart(DATA[0], 3))


def test_what_words_do_not_have_is_one_line(cot, measured):
    lacks = []
    config = InterchangeConfig(part=("latent_vision",), steps=("each",))
    assert measured("interchange", config, cot, DATA, lacks=lacks).empty
    assert lacks == [
        "--part latent_vision: cot has none; it reasons in words",
        "--steps each: what cot writes is exchanged as a whole",
    ]
    with pytest.raises(UserError, match="writes nothing before its answer"):
        measured("interchange", InterchangeConfig(), load("no_cot"), DATA)
