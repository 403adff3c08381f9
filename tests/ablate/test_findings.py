"""Sentences say what the numbers allow and no more."""

import re
from typing import get_args

import pandas as pd
import pytest

from latentlab.ablate.findings import conclusion, held_back
from latentlab.ablate.phrases import FAMILIES, phrase
from latentlab.vocabulary import CONTROL, Replacement
from tests.ablate.lines import GAIN, HARM, NOTHING, UNCERTAIN, control, line, moved, removed
from tests.named import named


def say(*lines):
    return conclusion(pd.DataFrame([line("none", kind="none"), *lines]))


def test_a_loss_stands_under_each_rule_of_positions_and_next_to_the_sham():
    said = say(
        *removed("drop latent_text", (-0.881, -0.910, -0.850), HARM, (-0.879, -0.9, -0.84)),
        line("drop latent_text", (-1, -1, -1), domain="digits", positions="held"),
        line("sham latent_text", kind=CONTROL),
    )
    assert said == [
        "relay answers 95.2 % [93.2, 97.2] of 500 questions. "
        "It loses at least 50.0 points [45.0, 55.0] without its latent text, whether positions are "
        "held, closed up or kept empty: a matter of content. "
        "The sham changes nothing."
    ]


def test_what_one_rule_of_positions_costs_and_another_does_not_is_no_loss_of_content():
    (said,) = say(
        *removed(
            "drop latent_vision",
            (-0.168, -0.202, -0.134),
            NOTHING,
            (-0.002, -0.014, 0.010),
            delta_smallest=0.026,
        )
    )
    assert said.endswith(
        "It loses 16.8 points [13.4, 20.2] without its latent vision where positions are held, but "
        "at most 0.4 [-1.4, 2.2] where they are closed up or kept empty (the smallest that could "
        "be told: 2.6): a matter of positions and not of content."
    )


POSITIONS, SLOTS = "matter of positions and not of content.", "matter of the slots and not of what"
EMPTIES, UNTOLD = "matter of what stands in empty slots", "too uncertain to tell content from pos"
CONTENT = "whether positions are held, closed up or kept empty: a matter of content."
EITHER = "without measurable harm: at most"


@pytest.mark.parametrize(
    ("held", "closed", "kept", "words"),
    [
        (HARM, NOTHING, NOTHING, POSITIONS),
        (NOTHING, HARM, NOTHING, POSITIONS),
        (HARM, NOTHING, HARM, POSITIONS),
        (NOTHING, HARM, HARM, POSITIONS),
        (HARM, GAIN, UNCERTAIN, POSITIONS),
        (GAIN, NOTHING, UNCERTAIN, POSITIONS),
        (HARM, HARM, NOTHING, SLOTS),
        (HARM, HARM, GAIN, SLOTS),
        (NOTHING, NOTHING, HARM, EMPTIES),
        (HARM, UNCERTAIN, UNCERTAIN, UNTOLD),
        (HARM, HARM, UNCERTAIN, UNTOLD),
        (UNCERTAIN, HARM, HARM, UNTOLD),
        (GAIN, UNCERTAIN, GAIN, UNTOLD),
        (HARM, HARM, HARM, CONTENT),
        (GAIN, GAIN, GAIN, CONTENT),
        (HARM, HARM, None, "whether positions are held or closed up."),
        (HARM, NOTHING, None, POSITIONS),
        (None, HARM, NOTHING, POSITIONS),
        (NOTHING, NOTHING, NOTHING, EITHER),
        (NOTHING, UNCERTAIN, NOTHING, "too uncertain to tell harm from none."),
        (UNCERTAIN, UNCERTAIN, UNCERTAIN, "too uncertain to tell harm from none."),
    ],
)
def test_only_what_does_not_depend_on_positions_is_about_content(held, closed, kept, words):
    (said,) = say(*removed("drop latent_text", held, closed, kept))
    assert words in said
    (moved,) = set(re.findall("[Ii]t (loses|gains) ", said)) or {""}
    ways = {"held": held, "closed up": closed, "kept empty": kept}
    given = {rule: delta for rule, delta in ways.items() if delta}
    most = HARM if HARM in given.values() else GAIN
    moving = [rule for rule, delta in given.items() if delta == most]
    assert moved == (("loses" if most == HARM else "gains") if moving else "")
    if 0 < len(moving) < len(given):
        where = re.search("where positions are (.*), but .* where they are (.*?)(?: \\(|: )", said)
        wanted = [moving, [rule for rule in given if rule not in moving]]
        assert [re.split(", | or ", rules) for rules in where.groups()] == wanted
    else:
        assert re.search("whether positions are ([^:.]*)", said)[1].replace(" or ", ", ") == (
            ", ".join(given)
        )
    # One number for the rules that bring an effect, and one for those that do not.
    assert said.count("[") == 3 if "where they are" in said else 2
    claims = [claim for claim in (POSITIONS, SLOTS, EMPTIES, UNTOLD, CONTENT) if claim in said]
    assert claims == ([words] if words in (POSITIONS, SLOTS, EMPTIES, UNTOLD, CONTENT) else [])


def test_what_does_no_harm_is_called_neither_needed_nor_unneeded():
    (said,) = say(
        *removed(
            "drop latent_vision",
            (-0.002, -0.008, 0.004),
            (0.0, 0.0, 0.0),
            NOTHING,
            delta_smallest=0.031,
        )
    )
    assert said.endswith(
        "It can lose its latent vision without measurable harm: at most 0.4 points [-1.4, 2.2] "
        "(the smallest that could be told: 3.1), whether positions are held, closed up or kept "
        "empty."
    )


@pytest.mark.parametrize("delta", [(-0.05, -0.15, 0.05), (0.0, 0.0, 0.0)])
def test_too_few_questions_show_no_absence_of_harm(delta):
    (said,) = say(line("zero latent", delta, n=24, delta_smallest=0.2))
    loss = (
        f"{-100 * delta[0] + 0:.1f} points [{-100 * delta[2] + 0:.1f}, {-100 * delta[1] + 0:.1f}]"
    )
    untold = "(the smallest that could be told: 20.0)"
    end = "too uncertain to tell harm from none."
    assert f"The loss is {loss} with zeros for its latents {untold}: {end}" in said
    (said,) = say(*removed("drop latent", delta, delta, delta, n=24, delta_smallest=0.2))
    rules = "whether positions are held, closed up or kept empty"
    assert f"The loss is at most {loss} without its latents {untold}, {rules}: {end}" in said


def test_a_gain_and_a_model_with_little_to_lose_are_told():
    (said,) = say(line("drop latent at step 1, 3", (0.03, 0.01, 0.05)))
    assert "It gains 3.0 points [1.0, 5.0] without its latents at step 1 and 3." in said
    lines = [line("none", kind="none", accuracy=0.07), line("drop latent", accuracy=0.07)]
    (said,) = conclusion(pd.DataFrame(lines))
    assert said.startswith("relay answers 7.0 % [5.0, 9.0] of 500 questions, so there is little to")


def test_many_arms_of_a_kind_are_one_sentence_about_the_worst():
    (said,) = say(
        line("zero latent_text", (-0.5, -0.6, -0.4)),
        control("zero latent_text", "on uninformative words", (-0.1, -0.2, 0.0)),
        line("noise 0.5 latent_text", (-0.01, -0.02, 0.01)),
        line("select bottom", (-0.001, -0.01, 0.01)),
    )
    assert (
        "1 of 3 changes (2 replacements and 1 way to pick patches) measurably cost it points; the "
        "worst replacement: it loses 50.0 points [40.0, 60.0] with zeros for its latent text, next "
        "to 10.0 [0.0, 20.0] when doing the same to as many uninformative words." in said
    )
    (said,) = say(line("select bottom", (-0.001, -0.01, 0.01)))
    assert said.endswith(
        "No harm is measured with patches picked by the rule bottom: 0.1 points [-1.0, 1.0]."
    )
    (said,) = say(line("select bottom"), line("select random"))
    assert "None of 2 ways to pick patches measurably cost it points; the worst:" in said


def test_a_family_counts_what_harms_whatever_becomes_of_positions():
    (said,) = say(
        *removed("k=1", HARM, HARM, HARM),
        *removed("k=4", NOTHING, (-0.548, -0.6, -0.5)),
        control("k=4", "as many at random", HARM),
        *removed("k=3", NOTHING, NOTHING),
    )
    assert (
        "1 of 3 numbers of patches measurably cost it points whatever becomes of positions, 1 "
        "depending on that; the worst: it loses 54.8 points [50.0, 60.0] with 4 re-inserted "
        "patches a step where positions are closed up, but 0.4 [-1.4, 2.2] where they are held, "
        "next to 50.0 [45.0, 55.0] when picking as many at random: a matter of positions and not "
        "of content." in said
    )
    (said,) = say(line("steps=4", HARM), control("steps=4", "the difference empty", NOTHING))
    assert said.endswith(
        "It loses 50.0 points [45.0, 55.0] with 4 latent steps, next to 0.4 [-1.4, 2.2] when "
        "leaving the steps of difference empty."
    )


def test_of_many_parts_left_out_the_worst_is_told():
    arms = [removed(f"drop latent at step {i}", HARM, HARM, HARM) for i in (1, 2)]
    arms += [removed(f"drop latent_text at step {i}", NOTHING, HARM, NOTHING) for i in (1, 2)]
    (said,) = say(*(line for arm in arms for line in arm))
    assert said.endswith(
        "2 of 4 parts left out measurably cost it points whatever becomes of positions, 2 "
        "depending on that; the worst: it loses at least 50.0 points [45.0, 55.0] without its "
        "latents at step 1, whether positions are held, closed up or kept empty: a matter of "
        "content."
    )


def test_a_paragraph_is_at_most_three_sentences():
    arms = ["zero latent", "steps=2", "k=1", "select bottom", "drop rationale", "other rationale"]
    (said,) = say(
        *removed("drop latent", HARM, NOTHING, UNCERTAIN),
        *removed("drop latent_text", HARM, HARM, HARM),
        *(line(arm, HARM) for arm in arms),
        line("sham latent", kind=CONTROL),
    )
    assert len(re.findall(r"\.(?: |$)", said)) == 3
    assert said.count("sham changes nothing") == said.count("positive control") == 1


def test_both_parts_of_a_model_with_one_are_not_told_twice():
    loss = (-0.5, -0.6, -0.4)
    (said,) = say(line("drop latent_text", loss), line("drop latent", loss))
    assert said.endswith("It loses 50.0 points [40.0, 60.0] without its latent text.")
    (said,) = say(line("drop latent_text", loss), line("drop latent", (-0.6, -0.7, -0.5)))
    assert said.count(" without its ") == 2
    (said,) = say(line("drop latent_text"), line("drop latent"))
    assert said.count("can lose its") == 1
    assert "its latent text without" in said
    assert "its latents without" in said
    other = line("drop latent_vision", loss)
    (said,) = say(line("drop latent_text", loss), other, line("drop latent", loss))
    assert said.count(" without its ") == 3


DISTURBED = ", so the instrument itself disturbs the model."


def test_a_sham_that_moves_discredits_the_instrument():
    (said,) = say(line("sham latent", (-0.01, -0.02, 0.0), CONTROL))
    assert said.endswith(f"The sham changes accuracy by -1.0{DISTURBED}")


@pytest.mark.parametrize(
    ("arm", "words"),
    [
        ("noise 0.5 latent_vision", "with noise of 0.5 SD on its latent vision"),
        ("other latent at step 3", "with another question's latents at step 3"),
        ("other_any latent_vision", "with the latent vision of a question of any domain"),
        ("off_walk latent_vision", "with patches off the walk for its latent vision"),
        ("norm_matched latent", "with random vectors of the same norm for its latents"),
        ("drop latent at step 2, others frozen", "without its latents at step 2 and all others"),
        ("steps=2", "with 2 latent steps"),
        ("k=0", "with 0 re-inserted patches a step"),
        ("select random with reuse", "with patches picked by the rule random with reuse"),
        ("norm-kept noise 3 latent", "with norm-preserving noise of 3 SD on its latents"),
        ("matched_noise latent_text", "with noise of the same mean and SD for its latent text"),
        (
            "permute latent at step 1, 3",
            "with the steps of its latents in a random order at step 1 and 3",
        ),
        ("first rationale", "with the first step of its rationale repeated"),
        ("drop rationale", "without its rationale"),
        ("select bottom with reuse, k=3", "with patches picked by the rule bottom with reuse, 3 a"),
        ("something new", "under something new"),
    ],
)
def test_arms_have_plain_words(arm, words):
    assert phrase(pd.Series(named(arm).facts)).startswith(words)


def test_every_replacement_is_told_with_its_family():
    for how in get_args(Replacement):
        arm = f"{how} 1 latent" if how == "noise" else f"{how} latent"
        made = named(arm)
        assert (made.action, made.source) == ("replace", how)
        assert not phrase(pd.Series(made.facts)).startswith("under")
    assert {"drop", "replace"} < FAMILIES.keys()


WORDS = "on uninformative words"


def test_rounding_is_not_told_as_an_effect():
    lines = [moved("none", 0.0, 0.0, "none"), moved("drop latent", 0.0, -4e-7)]
    (said,) = conclusion(pd.DataFrame(lines))
    assert "the log-odds of the right one change by nothing but rounding" in said


def test_where_accuracy_has_no_room_to_fall_flips_tell_what_reaches_the_answer():
    lines = [
        moved("none", 0.0, 0.0, "none"),
        moved("drop latent", 0.625, -0.25, positions="held"),
        moved("drop latent: slots kept, empty", 0.5, 0.0, CONTROL, positions="kept"),
        moved("zero latent", 0.1, 0.0),
        moved("other latent", 0.3, 1.5),
        moved(f"other latent: {WORDS}", 0.2, 0.0, CONTROL),
        moved("sham latent", 0.0, 0.0, CONTROL),
    ]
    (said,) = conclusion(pd.DataFrame(lines))
    assert said == (
        "relay answers 24.0 % [22.0, 26.0] of 500 questions, so there is little to lose. "
        "62.5 % [62.5, 62.5] of its answers flip without its latents where positions are held, and "
        "the log-odds of the right one change by -0.25 nats [-0.25, -0.25], but 50.0 % [50.0, "
        "50.0] where they are kept empty. "
        "Of 2 replacements one moves most: 30.0 % [30.0, 30.0] of its answers flip with another "
        "question's latents, and the log-odds of the right one change by 1.5 nats [1.5, 1.5], next "
        "to 20.0 % [20.0, 20.0] when doing the same to as many uninformative words; the sham "
        "changes nothing."
    )


def test_a_sham_that_moves_answers_without_their_being_wrong_is_found_out():
    lines = [moved("none", 0.0, 0.0, "none"), moved("sham latent", 0.0, 0.2, CONTROL)]
    (said,) = conclusion(pd.DataFrame(lines))
    assert said.endswith(f"The sham changes accuracy by 0.0{DISTURBED}")


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        ((-0.5, -0.6, -0.4), "; so the test sees the use of a rationale in words"),
        ((0.0, 0.0, 0.0), "; not even words were seen to be used here"),
    ],
)
def test_words_are_the_positive_control(delta, words):
    (said,) = say(line("other rationale", delta), line("sham rationale", kind=CONTROL))
    assert words in said


def test_models_that_would_have_written_on_are_named():
    rows = pd.DataFrame(
        {
            "model": ["a"] * 4 + ["b"] * 4 + ["c"],
            "intervention": "none",
            "latent_steps": [3] * 8 + [0],
            "at_once": [True] * 4 + [False] * 3 + [True, False],
        }
    )
    (warning,) = held_back(rows)
    assert warning.startswith("in 75 % of its answers b would have written something else")
