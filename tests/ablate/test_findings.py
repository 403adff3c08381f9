"""Sentences say what the numbers allow and no more."""

import re
from typing import get_args

import pandas as pd
import pytest

from latentlab import console
from latentlab.ablate.findings import conclusion, held_back, show_tables
from latentlab.ablate.phrases import FAMILIES, phrase
from latentlab.vocabulary import CONTROL, EMPTY, KNOCK_OUT, POSITION_ARMS, Replacement


def line(
    arm,
    delta=(0.0, 0.0, 0.0),
    kind=KNOCK_OUT,
    control_of="",
    accuracy=0.952,
    positions="",
    **changes,
):
    values = {
        "model": "relay",
        "data": "benchmark",
        "intervention": arm,
        "kind": kind,
        "control_of": control_of,
        "positions": positions,
        "domain": "all",
        "topic": "all",
        "n": 500,
        "accuracy": accuracy,
        "accuracy_low": accuracy - 0.02,
        "accuracy_high": accuracy + 0.02,
        "delta": delta[0],
        "delta_low": delta[1],
        "delta_high": delta[2],
        "p_holm": 0.5,
    }
    return {**values, **changes}


def control(arm, what, delta):
    return line(f"{arm}: {what}", delta, CONTROL, arm)


def removed(arm, held=None, closed=None, kept=None, **changes):
    """The lines of one removal; a rule of positions without a difference was not run."""
    ways = {"held": held, "closed": closed, "kept": kept}
    deltas = {rule: delta for rule, delta in ways.items() if delta is not None}
    first = next(iter(deltas))
    lines = []
    for rule, delta in deltas.items():
        name = arm if rule == first else f"{arm}: {POSITION_ARMS[rule]}"
        kind = CONTROL if rule == "kept" else KNOCK_OUT
        lines.append(
            line(name, delta, kind, "" if rule == first else arm, positions=rule, **changes)
        )
    return lines


def say(*lines):
    return conclusion(pd.DataFrame([line("none", kind="none"), *lines]))


HARM, GAIN = (-0.5, -0.55, -0.45), (0.1, 0.08, 0.12)
NOTHING, UNCERTAIN = (-0.004, -0.022, 0.014), (-0.02, -0.08, 0.04)


def test_a_loss_stands_under_each_rule_of_positions_and_next_to_the_sham():
    said = say(
        *removed("drop latent_text", (-0.881, -0.910, -0.850), HARM, (-0.879, -0.9, -0.84)),
        line("drop latent_text", (-1, -1, -1), domain="digits", positions="held"),
        line("sham latent_text", kind=CONTROL),
    )
    assert said == [
        "relay answers 95.2 % [93.2, 97.2] of 500 questions. "
        "Without its latent text it loses 88.1 points [85.0, 91.0] with positions held, 50.0 "
        "[45.0, 55.0] with positions closed up and 87.9 [84.0, 90.0] with slots kept and empty, "
        "whatever becomes of positions: this is a matter of content. "
        "Sham 0.0."
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
        "Without its latent vision it loses 16.8 points [13.4, 20.2] with positions held, but 0.4 "
        "points [-1.4, 2.2] with positions closed up and 0.2 [-1.0, 1.4] with slots kept and empty "
        "(the smallest that could be told: 2.6): this is a matter of positions and not of content."
    )


POSITIONS, SLOTS = "matter of positions and not of content.", "matter of the slots and not of what"
EMPTIES, UNTOLD = "matter of what stands in empty slots", "too uncertain to tell content from pos"
CONTENT, EITHER = "becomes of positions: this is a matter of content.", "whatever becomes of pos"


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
        (HARM, HARM, None, "with positions closed up, whatever becomes of positions."),
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
    (moved,) = set(re.findall("it (loses|gains) ", said)) or {""}
    given = [delta for delta in (held, closed, kept) if delta]
    assert moved == ("loses" if HARM in given else "gains" if GAIN in given else "")
    assert said.count("[") == 1 + len(given)
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
        "It can lose its latent vision without measurable harm, whatever becomes of positions: 0.2 "
        "points [-0.4, 0.8] with positions held, 0.0 [0.0, 0.0] with positions closed up and 0.4 "
        "[-1.4, 2.2] with slots kept and empty (the smallest that could be told: 3.1)."
    )


@pytest.mark.parametrize("delta", [(-0.05, -0.15, 0.05), (0.0, 0.0, 0.0)])
def test_too_few_questions_show_no_absence_of_harm(delta):
    (said,) = say(line("zero latent", delta, n=24, delta_smallest=0.2))
    assert "With zeros for its latents the difference is" in said
    assert "the smallest that could be told: 20.0" in said
    assert "too uncertain to tell harm from none" in said
    (said,) = say(*removed("drop latent", delta, delta, delta, n=24, delta_smallest=0.2))
    assert "Without its latents the losses are" in said
    assert "(the smallest that could be told: 20.0): too uncertain" in said
    assert "too uncertain to tell harm from none" in said


def test_a_gain_and_a_model_with_little_to_lose_are_told():
    (said,) = say(line("drop latent at step 1+2", (0.03, 0.01, 0.05)))
    assert "Without its latents at step 1 and 2 it gains 3.0 points [1.0, 5.0]." in said
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
        "1 of 2 replacements measurably cost it points; the worst: with zeros for its latent text "
        "it loses 50.0 points [40.0, 60.0]; doing the same to as many uninformative words: "
        "-10.0 [-20.0, 0.0]." in said
    )
    assert said.endswith(
        "With patches picked by the rule bottom no harm is measured (-0.1 [-1.0, 1.0])."
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
        "depending on that; the worst: with 4 re-inserted patches a step it loses 54.8 points "
        "[50.0, 60.0] with positions closed up, but 0.4 points [-1.4, 2.2] with positions held: "
        "this is a matter of positions and not of content; picking as many at random loses 50.0 "
        "[45.0, 55.0]." in said
    )
    (said,) = say(line("steps=4", HARM), control("steps=4", "the difference empty", NOTHING))
    assert said.endswith(
        "With 4 latent steps it loses 50.0 points [45.0, 55.0]; leaving the steps of difference "
        "empty: -0.4 [-2.2, 1.4]."
    )


def test_both_parts_of_a_model_with_one_are_not_told_twice():
    loss = (-0.5, -0.6, -0.4)
    (said,) = say(line("drop latent_text", loss), line("drop latent", loss))
    assert said.count("it loses") == 1
    (said,) = say(line("drop latent_text", loss), line("drop latent", (-0.6, -0.7, -0.5)))
    assert said.count("it loses") == 2
    (said,) = say(line("drop latent_text"), line("drop latent"))
    assert said.count("It can lose") == 2
    other = line("drop latent_vision", loss)
    (said,) = say(line("drop latent_text", loss), other, line("drop latent", loss))
    assert said.count("it loses") == 3


def test_a_sham_that_moves_discredits_the_instrument():
    (said,) = say(line("sham latent", (-0.01, -0.02, 0.0), CONTROL))
    assert said.endswith("Sham -1.0: the instrument itself disturbs the model.")


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
        ("select random, with reuse", "with patches picked by the rule random and reuse"),
        ("norm-kept noise 3 latent", "with norm-preserving noise of 3 SD on its latents"),
        ("matched_noise latent_text", "with noise of the same mean and SD for its latent text"),
        ("permute latent at step 1+3", "with the steps of its latents in a random order at step 1"),
        ("first rationale", "with the first step of its rationale repeated"),
        ("drop rationale", "without its rationale"),
        ("select bottom, k=3, with reuse", "with patches picked by the rule bottom, 3 a step and"),
        ("something new", "under something new"),
    ],
)
def test_arms_have_plain_words(arm, words):
    assert phrase(arm).startswith(words)


def test_every_replacement_is_told_with_its_family():
    for how in get_args(Replacement):
        arm = f"{how} 1 latent" if how == "noise" else f"{how} latent"
        assert not phrase(arm).startswith("under")
        assert re.match(FAMILIES["replacements"], arm)
    assert not re.match(FAMILIES["replacements"], "drop latent")


MOVES = ("flip", "log_odds_change")


def moved(arm, flip, odds, kind=KNOCK_OUT, **changes):
    values = {
        f"{name}{end}": x
        for name, x in zip(MOVES, (flip, odds), strict=True)
        for end in ("", "_low", "_high")
    }
    return line(arm, kind=kind, accuracy=0.24, **values, **changes)


def test_rounding_is_not_told_as_an_effect():
    lines = [moved("none", 0.0, 0.0, "none"), moved("drop latent", 0.0, -4e-7)]
    (said,) = conclusion(pd.DataFrame(lines))
    assert "the log-odds of the right one change by nothing but rounding" in said


def test_where_accuracy_has_no_room_to_fall_flips_tell_what_reaches_the_answer():
    lines = [
        moved("none", 0.0, 0.0, "none"),
        moved("drop latent", 0.625, -0.25),
        moved("drop latent: slots kept, empty", 0.5, 0.0, CONTROL, control_of="drop latent"),
        moved("zero latent", 0.1, 0.0),
        moved("other latent", 0.3, 1.5),
        moved("sham latent", 0.0, 0.0, CONTROL),
    ]
    (said,) = conclusion(pd.DataFrame(lines))
    assert said == (
        "relay answers 24.0 % [22.0, 26.0] of 500 questions, so there is little to lose. "
        "Without its latents 62.5 % [62.5, 62.5] of its answers flip, and the log-odds of the "
        "right one change by -0.25 nats [-0.25, -0.25]; leaving the same slots empty: "
        "50.0 % [50.0, 50.0]. "
        "Of 2 replacements one moves most: with another question's latents 30.0 % [30.0, 30.0] of "
        "its answers flip, and the log-odds of the right one change by 1.5 nats [1.5, 1.5]. "
        "Sham 0.0."
    )


def test_a_sham_that_moves_answers_without_their_being_wrong_is_found_out():
    lines = [moved("none", 0.0, 0.0, "none"), moved("sham latent", 0.0, 0.2, CONTROL)]
    (said,) = conclusion(pd.DataFrame(lines))
    assert said.endswith("Sham 0.0: the instrument itself disturbs the model.")


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        ((-0.5, -0.6, -0.4), "So the test sees the use of a rationale in words"),
        ((0.0, 0.0, 0.0), "Not even words were seen to be used here"),
    ],
)
def test_words_are_the_positive_control(delta, words):
    (said,) = say(line("other rationale", delta), line("sham rationale", kind=CONTROL))
    assert words in said


def test_tables_show_how_answers_move(capsys):
    show_tables(pd.DataFrame([moved("none", 0.0, 0.0, "none"), moved("zero latent", 0.5, -2.0)]))
    shown = capsys.readouterr().out
    assert "50.0 [50.0, 50.0]" in shown
    assert "-2 [-2, -2]" in shown


def test_tables_are_one_a_model_without_domains_and_with_controls_set_in(capsys):
    lines = [
        line("none", kind="none"),
        line("drop latent", (-0.5, -0.6, -0.4)),
        control("drop latent", "slots kept, empty", (-0.4, -0.5, -0.3)),
        line("drop latent", domain="digits"),
        line("drop latent", domain="digits", topic="dark"),
    ]
    show_tables(pd.DataFrame([*lines, *({**entry, "model": "gaze"} for entry in lines)]))
    shown = capsys.readouterr().out
    assert "relay: 500 questions of benchmark" in shown
    assert "gaze: 500 questions of benchmark" in shown
    assert shown.count("drop latent") == 2
    assert "  control: slots kept, empty" in shown
    assert "-50.0 [-60.0, -40.0]" in shown
    assert "digits" not in shown


@pytest.mark.parametrize("width", [80, 200])
def test_what_removes_the_same_stands_together_and_no_line_is_too_wide(capsys, monkeypatch, width):
    monkeypatch.setattr(console.results, "width", width)
    moves = {f"{n}{end}": 0.25 for n in MOVES for end in ("", "_low", "_high")}
    lines = [
        line("none", kind="none", **moves),
        *removed("drop latent", HARM, NOTHING, GAIN, **moves),
        *removed("k=4", NOTHING, HARM, **moves),
    ]
    show_tables(pd.DataFrame(lines).assign(delta_smallest=0.026))
    shown = capsys.readouterr().out
    tables = 1 if width > 100 else 2
    drop, closed, kept = (shown.index(name) for name in ("drop latent: held", "  closed", EMPTY))
    assert drop < closed < kept < shown.index("k=4: held")
    for label, n in (("drop latent: held", 1), ("  closed ", 2), ("  slots kept, empty", 1)):
        assert shown.count(label) == n * tables, label
    assert shown.count("-50.0 [-55.0, -45.0]") == 2
    assert shown.count(" 2.6 ") == 5  # of all but the model left alone
    assert max(map(len, shown.splitlines())) <= width


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
