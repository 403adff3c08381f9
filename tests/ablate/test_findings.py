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


def test_a_loss_is_told_as_what_is_left_and_the_sham_by_its_count():
    said = say(
        *removed("drop latent_text", (-0.881, -0.910, -0.850), HARM, (-0.879, -0.9, -0.84)),
        line("drop latent_text", (-1, -1, -1), domain="digits", positions="held"),
        line("sham latent_text", kind=CONTROL),
    )
    assert said == [
        "relay: Without its latent text it answers at most 45 % instead of 95 % [93, 97] of 500 "
        "questions. Putting its own latents back changes nothing."
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
    assert said == (
        "relay: Without its latent vision it answers 78 % with positions held and at least 94.8 % "
        "with positions closed up or the slots kept empty instead of 95 % [93, 97] of 500 "
        "questions: this is about positions, not about content."
    )


POSITIONS, SLOTS = "about positions, not about content.", "about the slots, not about what they"
EMPTIES, UNTOLD = "about what stands in empty slots", "too uncertain to tell content from positions"
HARMED, GAINED = (
    "without its latent text it answers at most 45 % instead",
    "at least 101.2 % instead",
)
EITHER = "nothing changes that we could measure"
FEW = "too few to tell harm from none"


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
        (HARM, HARM, HARM, HARMED),
        (GAIN, GAIN, GAIN, GAINED),
        (HARM, HARM, None, HARMED),
        (HARM, NOTHING, None, POSITIONS),
        (None, HARM, NOTHING, POSITIONS),
        (NOTHING, NOTHING, NOTHING, EITHER),
        (NOTHING, UNCERTAIN, NOTHING, FEW),
        (UNCERTAIN, UNCERTAIN, UNCERTAIN, FEW),
    ],
)
def test_only_what_does_not_depend_on_positions_is_about_content(held, closed, kept, words):
    arms = removed("drop latent_text", held, closed, kept)
    for shift, arm in enumerate(arms):  # so that least and most differ
        arm["accuracy"] -= 0.02 * shift
    (said,) = say(*arms)
    said = said.replace("Without", "without")
    claims = (POSITIONS, SLOTS, EMPTIES, UNTOLD, HARMED, GAINED, EITHER, FEW)
    assert [claim for claim in claims if claim in said] == [words]
    ways = {"positions held": held, "positions closed up": closed, "slots kept empty": kept}
    given = {rule: delta for rule, delta in ways.items() if delta}
    most = HARM if HARM in given.values() else GAIN
    moving = [rule for rule in given if given[rule] == most]
    if 0 < len(moving) < len(given):
        few, rest = re.search("it answers (.*) and ((?:at|[0-9]).*) instead", said).groups()
        for rule in given:
            assert (rule in few) == (rule in moving), rule
            assert (rule in rest) == (rule not in moving), rule
    else:
        assert not any(rule in said for rule in given)


def test_what_shows_no_change_is_called_neither_needed_nor_unneeded():
    (said,) = say(
        *removed(
            "drop latent_vision",
            (-0.002, -0.008, 0.004),
            (0.0, 0.0, 0.0),
            NOTHING,
            delta_smallest=0.031,
        )
    )
    assert said == (
        "relay: It answers 95 % [93, 97] of 500 questions; without its latent vision nothing "
        "changes that we could measure (more than 3.1 points would have shown)."
    )


@pytest.mark.parametrize("delta", [(-0.05, -0.15, 0.05), (0.0, 0.0, 0.0)])
def test_too_few_questions_show_no_absence_of_harm(delta):
    (said,) = say(line("zero latent", delta, n=24, delta_smallest=0.2))
    end = (
        "these questions are too few to tell harm from none (more than 20 points would have shown)."
    )
    assert said.endswith(f"With zeros for its latents {end}")
    (said,) = say(*removed("drop latent", delta, delta, delta, n=24, delta_smallest=0.2))
    assert said.endswith(f"without its latents {end}")


def test_a_gain_and_a_model_with_little_to_lose_are_told():
    (said,) = say(line("drop latent at step 1, 3", (0.03, 0.01, 0.05)))
    assert "Without its latents at step 1 and 3 it answers 98.2 % instead of 95 % [93, 97]" in said
    lines = [line("none", kind="none", accuracy=0.07), line("drop latent", accuracy=0.07)]
    (said,) = conclusion(pd.DataFrame(lines))
    assert said.startswith(
        "relay: It answers 7 % [5, 9] of 500 questions, about what guessing gives;"
    )


def test_many_arms_of_a_kind_are_one_sentence_about_the_worst():
    (said,) = say(
        line("zero latent_text", (-0.5, -0.6, -0.4)),
        control("zero latent_text", "on uninformative words", (-0.1, -0.2, 0.0)),
        line("noise 0.5 latent_text", (-0.01, -0.02, 0.01)),
        line("select bottom", (-0.001, -0.01, 0.01)),
    )
    assert (
        "1 of 3 changes (2 replacements and 1 way to pick patches) measurably cost answers; the "
        "worst replacement: with zeros for its latent text it answers 45 % (85 % when doing the "
        "same to as many uninformative words)." in said
    )
    (said,) = say(line("select bottom", (-0.001, -0.01, 0.01)))
    assert said.endswith("With patches attended least nothing changes that we could measure.")
    (said,) = say(line("select bottom"), line("select random"))
    assert said.endswith("None of 2 ways to pick patches measurably cost answers.")


def test_a_family_counts_what_harms_whatever_becomes_of_positions():
    (said,) = say(
        *removed("k=1", HARM, HARM, HARM),
        *removed("k=4", NOTHING, (-0.548, -0.6, -0.5)),
        control("k=4", "as many at random", HARM),
        *removed("k=3", NOTHING, NOTHING),
    )
    assert (
        "1 of 3 numbers of patches measurably cost answers, 1 more depending on positions; the "
        "worst: with 4 re-inserted patches a step it answers 40 % with positions closed up and "
        "94.8 % with positions held (45 % when picking as many at random): this is about "
        "positions, not about content." in said
    )
    (said,) = say(line("steps=4", HARM), control("steps=4", "the difference empty", NOTHING))
    assert said.endswith(
        "With 4 latent steps it answers 45 % (94.8 % when leaving the steps of difference empty)."
    )


def test_of_many_parts_left_out_the_worst_is_told():
    arms = [removed(f"drop latent at step {i}", HARM, HARM, HARM) for i in (1, 2)]
    arms += [removed(f"drop latent_text at step {i}", NOTHING, HARM, NOTHING) for i in (1, 2)]
    (said,) = say(*(line for arm in arms for line in arm))
    assert said.endswith(
        "2 of 4 parts left out measurably cost answers, 2 more depending on positions; the worst: "
        "without its latents at step 1 it answers 45 %."
    )


def test_a_paragraph_is_at_most_three_sentences():
    arms = ["zero latent", "steps=2", "k=1", "select bottom", "drop rationale", "other rationale"]
    lines = [
        *removed("drop latent", HARM, NOTHING, UNCERTAIN),
        *removed("drop latent_text", HARM, HARM, HARM),
        *(line(arm, HARM) for arm in arms),
        line("sham latent", kind=CONTROL),
    ]
    summary = pd.DataFrame([line("none", kind="none"), *lines])
    (said,) = conclusion(summary, {"relay": "450 of 500 answers are right only with its latents"})
    assert len(re.findall(r"\.(?: |$)", said)) == 3
    assert said.count("back changes nothing") == said.count("positive control") == 1
    assert said.count("450 of 500") == 1


def test_both_parts_of_a_model_with_one_are_not_told_twice():
    loss = (-0.5, -0.6, -0.4)
    (said,) = say(line("drop latent_text", loss), line("drop latent", loss))
    assert said.lower().count("without its ") == 1
    (said,) = say(line("drop latent_text", loss), line("drop latent", (-0.6, -0.7, -0.5)))
    assert said.lower().count("without its ") == 2
    (said,) = say(line("drop latent_text"), line("drop latent"))
    assert "without its latent text or without its latents nothing changes" in said
    other = line("drop latent_vision", loss)
    (said,) = say(line("drop latent_text", loss), other, line("drop latent", loss))
    assert said.lower().count("without its ") == 3


DISTURBED = ": the instrument itself disturbs the model."


def test_a_sham_that_moves_discredits_the_instrument():
    (said,) = say(line("sham latent", (-0.01, -0.02, 0.0), CONTROL))
    assert said.endswith(f"Putting its own latents back changes 5 of 500 answers{DISTURBED}")


def test_a_sham_is_judged_by_counts_and_not_by_the_width_of_intervals():
    still = {f"flip{end}": value for end, value in (("", 0.0), ("_low", 0.0), ("_high", 0.008))}
    sham = line("sham latent", (0.0, -0.008, 0.008), CONTROL, **still)
    (said,) = say(sham)
    assert said.endswith("Putting its own latents back flips no answer.")


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
        ("select random with reuse", "with patches picked at random, with reuse"),
        ("norm-kept noise 3 latent", "with norm-preserving noise of 3 SD on its latents"),
        ("matched_noise latent_text", "with noise of the same mean and SD for its latent text"),
        (
            "permute latent at step 1, 3",
            "with the steps of its latents in a random order at step 1 and 3",
        ),
        ("first rationale", "with the first step of its rationale repeated"),
        ("drop rationale", "without its rationale"),
        ("select bottom with reuse, k=3", "with patches attended least, with reuse, 3 a"),
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
    for change, told in ((-4e-7, "log-odds move by rounding alone"), (0.0, "no log-odds move")):
        lines = [moved("none", 0.0, 0.0, "none"), moved("drop latent", 0.0, change)]
        (said,) = conclusion(pd.DataFrame(lines))
        assert f"without its latents no answer flips and {told}" in said


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
        "relay: It answers 24 % [22, 26] of 500 questions, about what guessing gives; without its "
        "latents 62.5 % [62.5, 62.5] of its answers flip with positions held, 50 % with the slots "
        "kept empty. Of 2 replacements the one that moves most: with another question's latents "
        "30.0 % [30.0, 30.0] of its answers flip (20 % when doing the same to as many "
        "uninformative words). Putting its own latents back flips no answer."
    )


def test_a_sham_that_moves_answers_without_their_being_wrong_is_found_out():
    lines = [moved("none", 0.0, 0.0, "none"), moved("sham latent", 0.0, 0.2, CONTROL)]
    (said,) = conclusion(pd.DataFrame(lines))
    assert said.endswith(f"Putting its own latents back moves the log-odds by 0.2 nats{DISTURBED}")


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        ((-0.5, -0.6, -0.4), "The test sees the use of a rationale in words"),
        ((0.0, 0.0, 0.0), "Not even words were seen to be used here"),
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
