"""The page in a real browser: it moves as told, complains of nothing, and runs nothing foreign."""

import json
from pathlib import Path

import numpy as np
import pytest

from latentlab.report.traces import viewer_data
from latentlab.study.results import read_results

HERE = Path(__file__).parent
TOOLS = (HERE / "tools.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(world):
    rows = read_results(world.config.results / "traces").rows
    return rows[rows["model"] == "tiny"]


@pytest.fixture(scope="module")
def walks(world):
    """The objects of every walk, by question."""
    data = viewer_data(read_results(world.config.results / "traces"), 200)
    return {name: asked["path"] for name, asked in data["examples"].items()}


@pytest.fixture(scope="module")
def moved(browse):
    """One visit in which everything is used once."""
    return browse(TOOLS + (HERE / "visit.js").read_text(encoding="utf-8"))


def answers_of(rows, example, arm):
    answers = rows[(rows["record"] == "answer") & (rows["intervention"] == arm)]
    found = answers[answers["example"] == example].iloc[0]
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


def steps_of(rows, example, arm="none"):
    mine = (rows["record"] == "step") & (rows["example"] == example)
    return rows[mine & (rows["intervention"] == arm)].sort_values("step")


def read_pills(rows, steps, path):
    """What pills have to say of some steps: object, tick or cross, true hop.

    Probes of step 1 are believed, those of step 2 are right too rarely (`conftest.grade`).
    """
    first = steps.iloc[0]
    mark = "right" if first["probe_correct"] else "wrong"
    believed = [first["probe_label"], mark, f"hop 1: {path[1]}"]
    return [believed, ["not readable", None, f"hop 2: {path[2]}"]]


def test_it_opens_on_the_answer_that_needs_its_latents(moved, world):
    data = viewer_data(read_results(world.config.results / "traces"), 200)
    assert moved["opened"] == [data["opening"]["example"], data["opening"]["model"]]


def test_a_step_shows_its_picks_attention_hop_and_probe(moved, rows, qwen):
    first = steps_of(rows, moved["first"]).iloc[0]
    assert moved["picks"] == qwen.plan.k and moved["used"] == 0
    assert moved["shares"] == pytest.approx([100 * a for a in first["patch_attention"]], abs=0.2)
    assert moved["noPicks"] == 0
    patches = " and ".join(str(pick + 1) for pick in first["picks"])
    assert f"patches {patches}" in moved["reading"]
    assert first["probe_label"] in moved["reading"]
    assert first["lens_tokens"][0].strip() in moved["reading"]
    assert f"{first['ratio:image/text']:.2f}"[:3] in moved["reading"]


def test_pills_show_what_is_read_beside_the_true_hop(moved, rows, walks):
    expected = read_pills(rows, steps_of(rows, moved["first"]), walks[moved["first"]])
    assert moved["pills"] == expected


def test_attention_has_one_scale_with_a_key_in_per_cent(moved, world):
    scale = viewer_data(read_results(world.config.results / "traces"), 200)["scale"]
    assert f"{100 * scale:g}\u00a0% of all" in moved["scale"]
    for share, opacity in zip(moved["shares"], moved["faded"], strict=True):
        expected = 0.33 + 0.67 * min(1, share / 100 / scale)
        assert opacity == pytest.approx(expected, abs=0.01)


def test_frames_lie_between_patches_and_tell_used_picks(moved, rows, qwen):
    assert moved["covering"] == moved["covering2"] == 0
    assert moved["picks2"] == qwen.plan.k
    earlier, now = steps_of(rows, moved["first"])["picks"]
    assert moved["used2"] == len(set(earlier) - set(now)) > 0


def test_an_intervention_changes_the_probabilities_to_those_of_its_rows(moved, rows):
    example = moved["first"]
    assert moved["alone"] == pytest.approx(answers_of(rows, example, "none"), abs=0.11)
    assert moved["dropped"] == pytest.approx(answers_of(rows, example, "drop latent"), abs=0.11)
    control = "drop latent: slots kept, empty"
    assert moved["controlled"] == pytest.approx(answers_of(rows, example, control), abs=0.11)
    assert moved["dropped"] != moved["alone"]
    assert moved["sham"] == moved["alone"] and moved["shamPills"] == moved["pills"]
    variants = dict(moved["variants"])
    assert variants[control] == "matched control: leaving the same slots empty"
    assert variants["drop latent: positions closed"] == "closing up positions"
    assert moved["shamControl"]
    assert "Without its latents: " in moved["said"]


def test_after_an_intervention_everything_belongs_to_the_altered_run(moved, rows, walks):
    example = moved["first"]
    path, told = walks[example], moved["exchanged"]
    altered = steps_of(rows, example, "other latent")
    assert told["pills"] == read_pills(rows, altered, path) != moved["pills"]
    expected = [100 * a for a in altered.iloc[0]["patch_attention"]]
    assert told["shares"] == pytest.approx(expected, abs=0.2)
    assert told["options"] == pytest.approx(answers_of(rows, example, "other latent"), abs=0.11)
    assert told["picks"] == "picked, but replaced"
    answers = rows[(rows["record"] == "answer") & (rows["intervention"] == "other latent")]
    donor = answers.set_index("example").loc[example, "donor_question"]
    assert donor.rstrip(".") in told["said"]
    assert [text for text, _, _ in moved["gone"]] == ["left out", "left out"]
    assert "nothing is fed in here" in moved["goneReading"]
    emptied = steps_of(rows, example, "drop latent: slots kept, empty")
    assert moved["emptied"] == read_pills(rows, emptied, path)


def test_models_stand_side_by_side_and_are_chosen_by_a_click(moved, rows):
    names = [name for name, _, _ in moved["exchanged"]["rows"]]
    assert names == ["tiny", "twin"]
    ours = [[text, mark] for text, mark, _ in moved["exchanged"]["pills"]]
    assert [held for _, held, _ in moved["exchanged"]["rows"]] == [
        ours,
        [["not readable", None]] * 2,
    ]
    assert moved["twin"] == ["twin", moved["first"]]


def test_filters_leave_the_questions_that_pass_them(moved, rows):
    answers = rows[rows["record"] == "answer"]
    alone = answers[answers["intervention"] == "none"].set_index("example")
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
    dropped = answers[answers["intervention"] == "drop latent"].set_index("example")
    said = (dropped["choice"].fillna(-1), alone["choice"].fillna(-1))
    assert moved["flips"] == int((said[0] != said[1]).sum())
    assert moved["none"] == "No question passes these filters."
    assert moved["typing"] == moved["first"]  # keys that belong to a field move nothing


def test_everything_that_can_be_used_has_a_name_and_its_own_place(moved):
    assert moved["labelled"] == []
    assert moved["ids"] == []
    assert moved["live"] == ["said", "count"]
    assert moved["stops"] == [1, 1]  # the list and the steps are one tab stop each


def test_an_address_opens_what_it_names(browse, rows):
    example = list(rows["example"].unique())[5]
    address = f"#example={example}&step=2&intervention=drop+latent_text"
    found = browse(TOOLS + "told.at = [current(), step()]; told.options = options();", address)
    assert found["at"][0] == example and found["at"][1].startswith("2 ")
    expected = answers_of(rows, example, "drop latent_text")
    np.testing.assert_allclose(found["options"], expected, atol=0.11)
    assert found["problems"] == []
    chosen = 'told.model = document.querySelector("#beside input:checked").value;'
    twin = browse(chosen, "#model=twin")
    assert twin["model"] == "twin" and twin["problems"] == []
    odd = browse(
        TOOLS + "told.at = [current(), step()];", "#example=x&step=99&intervention=y&model=z"
    )
    assert odd["at"][0] in set(rows["example"]) and odd["problems"] == []


def test_an_address_of_a_section_stays_and_that_of_an_answer_follows(browse):
    use = (
        TOOLS
        + """
press("ArrowRight");
await new Promise((done) => setTimeout(done, 400));
told.address = location.hash; told.link = $("link").getAttribute("href");
"""
    )
    assert browse(use, "#answers")["address"] == "#answers"
    followed = browse(use, "#step=1")
    assert "step=2" in followed["address"] and followed["link"] == followed["address"]


FRAMES = """
const button = $("play");
told.label = button.textContent;
const chosen = () => document.querySelector("#arms input:checked").value;
const answered = () => !$("stage").classList.contains("unanswered");
const moment = () => [chosen(), parseInt(step()), answered()];
told.frames = [];
"""


def worked(found):
    expected = []
    for arm in ("none", "other latent"):
        expected += [[arm, 1, False], [arm, 2, False], [arm, 2, True]]
    assert found["frames"] == expected
    assert found["problems"] == []


def test_a_worked_question_plays_by_itself(browse):
    watch = """
button.click();
told.playing = button.textContent;
while (button.textContent === told.playing || told.frames.length < 6) {
  const now = moment();
  if (JSON.stringify(now) !== JSON.stringify(told.frames.at(-1))) told.frames.push(now);
  if (told.frames.length > 6) break;
  await new Promise((done) => setTimeout(done, 300));
}
told.end = button.textContent;
button.click(); press("ArrowRight"); told.stopped = button.textContent;
"""
    found = browse(TOOLS + FRAMES + watch, milliseconds=40000)
    worked(found)
    assert found["label"] == found["end"] == found["stopped"] == "▶ Play it"
    assert found["playing"] == "■ Stop"


def test_where_motion_is_unwelcome_it_walks_on_by_a_press(browse):
    walk = """
for (let i = 0; i < 6; i += 1) { button.click(); told.frames.push(moment()); }
await new Promise((done) => setTimeout(done, 9000));
told.still = moment();
"""
    flags = ("--force-prefers-reduced-motion",)
    found = browse(TOOLS + FRAMES + walk, flags=flags, milliseconds=20000)
    worked(found)
    assert found["label"] == "Walk through it" and found["still"] == found["frames"][-1]


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_controls_are_on_the_first_screen(browse, width, height):
    look = """
for (const id of ["asked", "said"]) $(id).textContent = "As long as what people ask of it.";
for (const one of all("#path b, #path small")) one.textContent = "red square";
$("viewer").scrollIntoView({ behavior: "instant" });
const controls = ["play", "arms", "arm", "path", "said", "previous"].map($)
  .filter((one) => one.getClientRects().length > 0);
told.controls = controls.map((one) => one.id);
told.bottom = Math.max(...controls.map((one) => one.getBoundingClientRect().bottom));
told.width = innerWidth;
"""
    found = browse(TOOLS + look, width=width)
    assert found["width"] <= width
    assert found["bottom"] <= height
    assert ("arm" if width < 500 else "arms") in found["controls"]
    assert {"play", "path", "said"} <= set(found["controls"])


def test_models_of_any_kind_are_shown_with_what_they_have(browse):
    found = browse(TOOLS + (HERE / "bare.js").read_text(encoding="utf-8"))
    assert found["problems"] == []
    assert all(text.startswith("“") for text, _, _ in found["plain"][0])
    assert [text for text, _, _ in found["none"][0]] == ["no reading", "no reading"]
    assert found["none"][2] == 0
    assert found["blind"][0][0][2] == "" and found["blind"][1] > 0
    assert found["many"] == 6  # steps, however many


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_sticks_out(browse, width):
    found = browse(
        """
        const right = document.documentElement.clientWidth;
        told.wide = [...document.querySelectorAll("#answers *")]
          .filter((one) => one.getBoundingClientRect().right > right + 1)
          .map((one) => one.outerHTML.slice(0, 80));
        """,
        width=width,
    )
    assert found["wide"] == []
    assert json.dumps(found["problems"]) == "[]"
