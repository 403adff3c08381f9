"""The page in a real browser: it moves as told, complains of nothing, and runs nothing foreign."""

import json
from pathlib import Path

import numpy as np
import pytest

from latentlab.study.results import read_results

HERE = Path(__file__).parent
TOOLS = (HERE / "tools.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(world):
    rows = read_results(world.config.results / "traces").rows
    return rows[rows["model"] == "tiny"]


@pytest.fixture(scope="module")
def moved(browse):
    """One visit in which everything is used once."""
    return browse(TOOLS + (HERE / "visit.js").read_text(encoding="utf-8"))


def answers_of(rows, example, arm):
    found = rows[(rows["example"] == example) & (rows["intervention"] == arm)].iloc[0]
    return [round(100 * p, 1) for p in found["option_probs"]]


def test_nothing_is_complained_of_and_nothing_foreign_runs(moved):
    assert moved["problems"] == []
    assert moved["logged"] == []
    assert moved["fetched"] == []
    assert moved["hacked"] is None


def test_a_question_with_a_script_is_shown_as_text(moved):
    assert "<script>document.body" in moved["question"]
    assert "onerror" in moved["question"]
    assert moved["html"] == 0


def test_arrow_keys_walk_through_steps_and_questions(moved, rows):
    order = list(rows["example"].unique())
    assert [moved["first"], moved["second"], moved["firstAgain"]] == [order[0], order[1], order[0]]
    assert moved["place"] == f"2 of {len(order)}"
    assert moved["step"].startswith("1 ") and moved["step2"].startswith("2 ")
    assert moved["stepEnd"] == moved["step2"]  # there are two steps
    assert moved["stepBack"] == moved["step"]
    assert "Step 1 of 2" in moved["reading"] and "Step 2 of 2" in moved["reading2"]


def test_a_step_shows_its_picks_attention_hop_and_probe(moved, rows, qwen):
    first = rows[rows["record"] == "step"].iloc[0]
    assert moved["picks"] == qwen.plan.k
    assert moved["dims"] == len(first["patch_attention"]) == 16
    assert moved["noPicks"] == 0
    patches = " and ".join(str(pick + 1) for pick in first["picks"])
    assert f"patches {patches}" in moved["reading"]
    assert first["probe_label"] in moved["reading"]
    assert first["lens_tokens"][0].strip() in moved["reading"]
    assert f"{first['ratio:image/text']:.2f}"[:3] in moved["reading"]


def test_an_intervention_changes_the_probabilities_to_those_of_its_rows(moved, rows):
    example = moved["first"]
    assert moved["alone"] == pytest.approx(answers_of(rows, example, "none"), abs=0.11)
    assert moved["dropped"] == pytest.approx(answers_of(rows, example, "drop latent"), abs=0.11)
    control = "drop latent: slots kept, empty"
    assert moved["controlled"] == pytest.approx(answers_of(rows, example, control), abs=0.11)
    assert moved["dropped"] != moved["alone"]
    assert moved["sham"] == moved["alone"]
    assert "leaving the same slots empty" in moved["control"] and moved["shamControl"]
    assert "Without its latents: " in moved["said"]


def test_filters_leave_the_questions_that_pass_them(moved, rows):
    alone = rows[rows["intervention"] == "none"].set_index("example")
    assert moved["listed"] == len(alone)
    assert moved["count"] == f"{len(alone)} of {len(alone)} questions"
    assert moved["found"] == 1 and "number7." in moved["foundQuestion"]
    assert moved["inDomain"] == (alone["domain"] == "d1").sum()
    assert moved["right"] == alone["correct"].sum()
    assert moved["wrong"] == len(alone) - moved["right"]
    # Right in every second answer left alone, in every third with empty slots.
    assert moved["right"] == 9
    cells = {"right either way": 3, "needed": 6, "harmful": 3, "wrong either way": 6}
    assert moved["necessity"] == cells
    dropped = rows[rows["intervention"] == "drop latent"].set_index("example")
    said = (dropped["choice"].fillna(-1), alone["choice"].fillna(-1))
    assert moved["flips"] == int((said[0] != said[1]).sum())
    assert moved["none"] == "No question passes these filters."
    assert moved["typing"] == moved["first"]  # keys that belong to a field move nothing


def test_everything_that_can_be_used_has_a_name(moved):
    assert moved["labelled"] == []


def test_an_address_opens_what_it_names(browse, rows):
    example = list(rows["example"].unique())[5]
    address = f"#example={example}&step=2&intervention=drop+latent_text"
    found = browse(TOOLS + "told.at = [current(), step()]; told.options = options();", address)
    assert found["at"][0] == example and found["at"][1].startswith("2 ")
    expected = answers_of(rows, example, "drop latent_text")
    np.testing.assert_allclose(found["options"], expected, atol=0.11)
    assert found["problems"] == []
    twin = browse('told.model = document.getElementById("model").value;', "#model=twin")
    assert twin["model"] == "twin" and twin["problems"] == []
    odd = browse(
        TOOLS + "told.at = [current(), step()];", "#example=x&step=99&intervention=y&model=z"
    )
    assert odd["at"][0] == rows["example"].iloc[0] and odd["problems"] == []


@pytest.mark.parametrize("width", [500, 1280])
def test_nothing_sticks_out(browse, width):
    found = browse(
        "told.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;",
        width=width,
    )
    assert found["wide"] <= 0
    assert json.dumps(found["problems"]) == "[]"
