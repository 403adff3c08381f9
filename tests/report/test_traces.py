"""What the viewer is given: the numbers of the rows, and the examples of the data."""

import base64
import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from latentlab.errors import UserError
from latentlab.figures.style import model_style
from latentlab.report.opening import opening
from latentlab.report.packing import as_bytes, scale_of
from latentlab.report.runs import ToldStudy
from latentlab.report.traces import about, viewer_data
from latentlab.study.results import read_results
from latentlab.trace.findings import conclusion, summary_of
from latentlab.trace.records import STEP


@pytest.fixture(scope="module")
def results(world):
    return read_results(world.config.results / "traces")


@pytest.fixture(scope="module")
def data(results):
    return viewer_data(results, 10)


def unpacked(data, trace, arm):
    """The steps of a run, as the page's script makes them of what is packed."""
    names = ("attention", "picks", "label", "right", "lens", "ratio", "focus", "again", "beside")
    steps = [dict(zip(names, trace["pool"][place], strict=True)) for place in trace["runs"][arm]]
    for step in steps:
        levels = np.frombuffer(base64.b64decode(step["attention"]), np.uint8)
        step["attention"] = levels / 255 * data["most"]
    return steps


def test_the_first_examples_are_shown_with_all_that_was_recorded(data, results):
    model = data["models"][0]
    assert [one["name"] for one in data["models"]] == ["tiny", "twin"]
    assert [one["colour"] for one in data["models"]] == [
        model_style(name, ["tiny", "twin"])[0] for name in ("tiny", "twin")
    ]
    shown = [trace["id"] for trace in model["traces"]]
    assert shown == list(data["examples"]) == list(results.rows["example"].unique())[:10]
    assert model["arms"][0]["name"] == "none" and model["arms"][0]["said"] == "left alone"
    for trace in model["traces"]:
        assert len(trace["runs"]) == len(trace["answers"]) == len(model["arms"])
        assert {len(run) for run in trace["runs"]} == {2}
        assert len(trace["pool"]) == len({repr(step) for step in trace["pool"]})
        for answer in trace["answers"]:
            assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-3)
    asked = data["examples"][shown[0]]
    assert asked["size"] == [112, 112] and len(asked["path"]) == 5
    assert asked["choices"][asked["gold"]] == asked["path"][-1]


def test_numbers_are_those_of_the_rows_of_the_same_run(data, results):
    rows = results.rows[results.rows["model"] == "tiny"]
    steps = rows[rows["record"] == STEP].set_index(["example", "intervention", "step"])
    model = data["models"][0]
    names = [arm["name"] for arm in model["arms"]]
    for trace in model["traces"]:
        for arm in ("none", "other latent", "drop latent_text"):
            for number, step in enumerate(unpacked(data, trace, names.index(arm)), start=1):
                row = steps.loc[(trace["id"], arm, number)]
                assert step["picks"] == list(row["picks"])
                half_a_byte = data["most"] / 255 / 2 + 1e-4
                assert step["attention"] == pytest.approx(row["patch_attention"], abs=half_a_byte)
                assert step["ratio"] == pytest.approx(row["ratio:image/text"], abs=1e-4)
                assert step["focus"] == pytest.approx(row["focus:image"], abs=1e-4)
                again = row["ratio:reinserted/text"]
                assert (step["again"] is None) == math.isnan(again)
                uniform = data["nulls"][step["beside"]][1]
                assert uniform == pytest.approx(row["uniform_ratio:image/text"], abs=1e-4)
                if arm == "drop latent_text":
                    assert step["label"] is step["lens"] is None
                    continue
                assert data["words"][step["label"]] == row["probe_label"]
                assert step["right"] == row["probe_correct"]
                tokens = [data["words"][place] for place in step["lens"][::2]]
                assert tokens == list(row["lens_tokens"])


def test_every_control_names_what_it_controls_in_words(data):
    arms = {arm["name"]: arm for arm in data["models"][0]["arms"]}
    said = {name: arm["said"] for name, arm in arms.items()}
    assert said["drop latent_text"] == "without its latent text"
    assert said["drop latent_text: slots kept, empty"] == "leaving the same slots empty"
    closed = arms["drop latent_text: positions closed"]
    assert closed["said"] == "without its latent text, closing up positions"
    assert closed["variant_of"] == "drop latent_text" and not closed["control_of"]
    assert all(arm["control_of"] in ("", *said) for arm in arms.values())
    assert [arm for arm in arms if arms[arm]["exchange"]] == ["other latent"]
    # What a step picks is not what stands in its slots, where these are overwritten.
    changed = {name for name, arm in arms.items() if arm["overwritten"]}
    assert {"other latent", "drop latent: slots kept, empty"} < changed
    assert not {"none", "drop latent_vision", "drop latent_text", "sham latent"} & changed


def test_the_viewer_opens_on_a_right_answer_that_turns_under_the_exchange(data):
    shown = data["opening"]
    model = next(one for one in data["models"] if one["name"] == shown["model"])
    arm = [one["name"] for one in model["arms"]].index("other latent")
    assert shown["intervention"] == "other latent"
    trace = next(one for one in model["traces"] if one["id"] == shown["example"])
    assert trace["answers"][0]["right"] and not trace["answers"][arm]["right"]
    turned = [one["necessity"] for one in model["traces"] if one["answers"][0]["right"]]
    assert trace["necessity"] == "needed" or "needed" not in turned
    # Where no answer turns, the first one is shown and nothing is done to it.
    wrong = [
        one
        | {"traces": [t | {"answers": [_wrong(a) for a in t["answers"]]} for t in one["traces"]]}
        for one in data["models"]
    ]
    first = {"model": "tiny", "example": model["traces"][0]["id"], "intervention": "none"}
    assert opening(data["examples"], wrong) == first


def _wrong(answer):
    return answer | {"right": False}


def test_the_scale_is_round_and_bytes_hold_what_they_can():
    shares = [[0.0, 0.1, 0.2], [0.004] * 500]
    most, scale = scale_of(shares)
    assert most == 0.2 and scale == 0.005  # one in a hundred lies above
    levels = np.frombuffer(base64.b64decode(as_bytes(shares[0], most)), np.uint8)
    assert levels.tolist() == [0, 128, 255]
    assert as_bytes(None, most) is None
    assert scale_of([]) == (1.0, 1.0)


def test_models_without_probes_picks_and_traces_are_taken(results):
    rows = results.rows.copy()
    for name in ("probe_label", "probe_correct", "lens_tokens", "picks", "patch_attention"):
        rows[name] = None
    rows["cell_read"] = rows["cell_target"] = rows["grid_rows"] = pd.NA
    bare = dataclasses.replace(results, rows=rows, summary=results.summary[:0])
    found = viewer_data(bare, 3)
    assert found["scale"] == found["most"] == 1
    trace = found["models"][0]["traces"][0]
    assert trace["grid"][0] is None and trace["cells"] == [[None, None]] * 2
    assert trace["pool"][0][:5] == [None] * 5 and found["models"][0]["probes"] == {}


def test_data_that_changed_is_noticed(results):
    rows = results.rows.assign(example=results.rows["example"] + "x")
    with pytest.raises(UserError, match=r"holds no example .* any more"):
        viewer_data(dataclasses.replace(results, rows=rows), 3)


def test_sentences_are_the_same_from_disk(world, results):
    fresh = conclusion(summary_of(results.rows, seed=0))
    read = results
    assert "step 1 in" in conclusion(read.summary)[-1]  # and not "step 1.0"
    assert conclusion(read.summary)[-1] == fresh[-1]
    run = ToldStudy(None, read, "")
    assert run.facts["models"].startswith("tiny (")
    assert run.facts["questions"] == "18"  # a quarter of 24 are references


@pytest.mark.parametrize("lacking", ["option_probs", "seen", "grid_rows", "intervention", "kind"])
def test_answers_recorded_by_an_earlier_version_are_told_in_one_line(results, lacking):
    older = dataclasses.replace(results, rows=results.rows.drop(columns=lacking))
    with pytest.raises(UserError, match=f"run latentlab.trace again.*{lacking}"):
        viewer_data(older, 10)


def test_steps_without_the_arm_that_they_are_of_are_refused(results):
    rows = results.rows.copy()
    rows.loc[rows["record"] == STEP, "intervention"] = None
    with pytest.raises(UserError, match=r"run latentlab\.trace again.*no latent steps"):
        viewer_data(dataclasses.replace(results, rows=rows), 10)


def test_the_data_are_called_by_words(results):
    config = results.run["config"] | {"data": "benchmark:hops=1+4"}
    said = about(dataclasses.replace(results, run=results.run | {"config": config}))
    assert "to the benchmark, one or four hops, seed 0" in said
