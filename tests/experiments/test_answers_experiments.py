"""Tables and figures about answers and ablations, made anew from small results made up here.

Arms differ in how many answers are right, so a number that is drawn in the wrong place shows.
"""

import json
import re

import numpy as np
import pandas as pd
import pytest
from latentlab.study.run import by_domain
from matplotlib import pyplot as plt

from latentlab.ablate.necessity import LABELS
from latentlab.evaluate.summary import summarise_answers
from latentlab.figures import studies
from latentlab.figures.artifacts import MISSING, Drawing, Table, write
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from latentlab.study.provenance import resolve
from latentlab.study.results import SUMMARY, Results
from latentlab.vocabulary import CONTROL, EMPTY, KNOCK_OUT, POSITION_ARMS

N = 20
PROMPT = "on unneeded prompt positions"
CLOSED, HELD = POSITION_ARMS["closed"], POSITION_ARMS["held"]
DIFFERENCE = "the difference empty"
NAMES = (
    "knockouts", "knockouts_table", "main_table", "necessity", "noise", "organisms", "patches",
    "patches_trained", "rationales", "replacements", "retrained_arms", "steps", "topics",
)  # fmt: skip
TABLES = ("knockouts_table", "main_table", "organisms", "retrained_arms")


def positions_of(arm):
    """What becomes of positions in an arm of a model of three steps and two patches."""
    what, _, way = arm.partition(": ")
    resized = re.search(r"^drop|^k=0|k=[1345]|^steps=[012]", what)
    natural = "closed" if what.startswith("steps") else "held"
    ways = {"": natural, CLOSED: "closed", HELD: "held", EMPTY: "kept", DIFFERENCE: "kept"}
    return ways.get(way, "") if resized else ""


def rows_of(model, arms, data="benchmark", hops=(4,), known=True, steps=3):
    """Rows of one model; `arms` maps names to how many of N answers are right."""
    rows = []
    for arm, right in {"none": 18, **arms}.items():
        head, colon, way = arm.partition(": ")
        control = way not in ("", CLOSED, HELD) or arm.startswith("sham")
        kind = CONTROL if control else KNOCK_OUT
        for i in range(N):
            rows.append(
                {
                    "model": model,
                    "data": data,
                    "example": f"e{i}",
                    "domain": ("letters", "digits")[i % 2] if known else "",
                    "topic": ("sans", "dark")[i % 2] if known else "",
                    "hops": hops[i // 2 % len(hops)] if known else None,
                    "question_type": "chain" if known else "",
                    "intervention": arm,
                    "kind": "none" if arm == "none" else kind,
                    "control_of": head if colon else "",
                    "positions": positions_of(arm),
                    "seed": 0,
                    "options": 4,
                    "correct": i < right,
                    "correct_likelihood": i < right,
                    "correct_lenient": pd.NA,
                    "autoregressive_steps": steps + len(model),
                    "latent_steps": steps,
                    "new_tokens": 3,
                    "seconds": 0.01 * len(model),
                    "flip": i >= right,
                    "log_odds_change": -float(i >= right),
                    "kl": 0.0,
                }
            )
    return pd.DataFrame(rows).astype({"hops": "Int64", "correct_lenient": "boolean"})


def results_of(study, rows, folder, summary_of=by_domain):
    """Results as they read back from disk."""
    path = folder / f"{study.name}-{SUMMARY}"
    summary_of(rows, 0).to_csv(path, index=False)
    summary = pd.read_csv(path, keep_default_na=False, na_values=[""])
    machine = {"cpus": 2, "machine": "abacus"}
    models = list(dict.fromkeys(rows["model"]))
    run = {"config": resolve(study.config) | {"model": models}, "platform": machine}
    return Results(rows, summary, run)


def knock_outs(parts, start=2):
    """Arms of parts left out, emptied and exchanged, each with its own number of right answers."""
    arms = {}
    for i, part in enumerate(parts):
        arms |= {
            f"drop {part}": start + i,
            f"drop {part}: {CLOSED}": start + i + 4,
            f"drop {part}: {EMPTY}": start + i + 3,
            f"other {part}": start + i + 1,
            f"other {part}: {PROMPT}": start + i + 5,
            f"placeholder {part}": start + i + 3,
            f"placeholder {part}: {PROMPT}": start + i + 6,
            f"sham {part}": 18,
        }
    return arms


BOTH = ("latent_text", "latent_vision", "latent")
TEXT = ("latent_text", "latent")


def made_up(folder, known=True):
    """Results of every study, of two models each, one of which has no latent vision."""

    def ablated(study, arms, data="benchmark", names=("ivtlr", "relay")):
        rows = [rows_of(name, arms(name), data, known=known) for name in names]
        return results_of(study, pd.concat(rows, ignore_index=True), folder)

    def replaced(name):
        arms = {}
        for i, how in enumerate(("zero", "placeholder", "other", "permute")):
            for j, part in enumerate(BOTH if name == "ivtlr" else TEXT):
                first = i + j + len(name) % 3
                arms |= {f"{how} {part}": first, f"{how} {part}: {PROMPT}": 9 + i + j}
        return arms | {"sham latent": 18}

    def noisy(name):
        parts = BOTH[:2] if name == "ivtlr" else BOTH[:1]
        return {
            f"norm-kept noise {sigma} {part}{control}": 18 - i - 5 * j - k
            for i, sigma in enumerate(("0", "0.1", "4"))
            for j, part in enumerate(parts)
            for k, control in enumerate(("", f": {PROMPT}"))
        }

    def picked(name):
        rules = {"attention": 1, "random": 2, "bottom": 3}
        arms = {"k=0": 5, f"k=0: {CLOSED}": 8, f"k=0: {EMPTY}": 12}
        for rule, i in rules.items():
            arms |= {f"select {rule}, k={k}": 18 - i * k for k in range(1, 6)}
            arms |= {f"select {rule}, k={k}: {CLOSED}": 17 - i * k for k in (1, 3, 4, 5)}
            arms |= {f"select {rule}, k=1: {EMPTY}": 16 - i}
        del arms["select attention, k=2"]
        return arms

    def stepped(name):
        counts = (0, 1, 2, 4)
        arms = {f"steps={count}": 3 * count for count in counts}
        arms |= {f"steps={count}: {HELD}": 2 * count + 1 for count in counts if count < 3}
        return arms | {f"steps={count}: {DIFFERENCE}": count + 1 for count in counts}

    answers = [
        rows_of(name, {}, "benchmark:hops=1+4", (1, 4), known, steps)
        for name, steps in (("ivtlr", 3), ("coconut", 3), ("cot", 0), ("no_cot", 0))
    ]
    for i, of in enumerate(answers):
        of["correct"] = of.index < 18 - 3 * i
    words = {f"{how} rationale": i for i, how in enumerate(("other", "permute", "reverse"))}
    return {
        "answers": results_of(
            studies.ANSWERS, pd.concat(answers, ignore_index=True), folder, summarise_answers
        ),
        "knockouts": ablated(
            studies.KNOCKOUTS, lambda name: knock_outs(BOTH if name == "ivtlr" else TEXT)
        ),
        "knockouts-one-hop": ablated(
            studies.KNOCKOUTS_ONE_HOP,
            lambda name: knock_outs(BOTH, start=9),
            studies.ONE_HOP,
            ("bypass",),
        ),
        "replacements": ablated(studies.REPLACEMENTS, replaced),
        "noise": ablated(studies.NOISE, noisy),
        "patches": ablated(studies.PATCHES, picked, names=("ivtlr",)),
        "step-counts": ablated(studies.STEP_COUNTS, stepped),
        "rationales": ablated(
            studies.RATIONALES, lambda _: words | {"sham rationale": 18}, names=("cot",)
        ),
    }


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return made_up(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def unnamed(tmp_path_factory):
    return made_up(tmp_path_factory.mktemp("unnamed"), known=False)


@pytest.fixture
def make(found):
    """Make one table or figure by name."""

    def of(name, results=found):
        (experiment,) = find_experiments(EXPERIMENTS, [name])
        return experiment.make({s.name: results[s.name] for s in experiment.studies})

    yield of
    plt.close("all")


def fraction(results, model, arm, **groups):
    """Fraction of right answers, counted in the rows."""
    rows = results.rows[(results.rows["model"] == model) & (results.rows["intervention"] == arm)]
    for name, value in groups.items():
        rows = rows[rows[name] == value]
    return rows["correct"].mean()


def drawn_values(axis, along):
    """Centres of all error bars of an axis, as they are drawn."""
    return np.concatenate([c[0].get_data()[along] for c in axis.containers] or [np.empty(0)])


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_made_and_written(make, name, tmp_path):
    artifact = make(name)
    assert isinstance(artifact, Table if name in TABLES else Drawing)
    files = write(artifact, name, tmp_path)
    assert all(path.stat().st_size for path in files)
    assert f"{name}.csv" in {path.name for path in files}
    for word in ("95 %", "ublished" if name != "organisms" else "Questions"):
        assert word in artifact.caption
    assert "nan" not in artifact.caption.lower()


@pytest.mark.parametrize("name", NAMES)
def test_data_without_domains_and_hops_are_shown_as_they_are(make, name, unnamed):
    artifact = make(name, unnamed)
    assert len(artifact.data)
    assert "nan" not in artifact.caption.lower()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TABLES])
def test_every_number_drawn_is_in_the_data_and_no_other(make, name):
    artifact = make(name)
    value = next(v for v in ("lost", "share", "accuracy") if v in artifact.data)
    along = 0 if name in ("necessity", "rationales", "replacements", "topics") else 1
    drawn = np.concatenate([drawn_values(axis, along) for axis in artifact.figure.axes])
    shown = artifact.data
    if name == "knockouts":  # the model left alone is a line, not a mark
        shown = shown[shown["intervention"] != "none"]
    np.testing.assert_allclose(np.sort(drawn), np.sort(100 * shown[value]), atol=1e-9)


def test_knockouts_show_each_model_under_each_arm(make, found):
    data = make("knockouts").data
    for _, line in data.iterrows():
        source = found["knockouts-one-hop" if line["model"] == "bypass" else "knockouts"]
        wanted = fraction(source, line["model"], line["intervention"])
        assert line["accuracy"] == pytest.approx(wanted)
        assert line["n"] == N
    arms = data[data["model"] == "relay"].set_index("intervention")["positions"].to_dict()
    assert arms["drop latent"] == "held"
    assert arms[f"drop latent: {CLOSED}"] == "closed"
    assert arms[f"drop latent: {EMPTY}"] == "kept"
    assert arms["other latent"] == ""
    assert "drop latent_vision" not in arms


def test_marks_tell_what_becomes_of_positions(make, found):
    (axis,) = make("knockouts").figure.axes
    labels = [text.get_text() for text in axis.figure.legends[0].get_texts()]
    assert {"filled: positions held", "half: positions closed up"} <= set(labels)
    assert "hollow: slots kept, empty" in labels
    held, closed, kept = (container[0] for container in axis.containers[:3])
    for mark, arm in ((held, ""), (closed, f": {CLOSED}"), (kept, f": {EMPTY}")):
        right = fraction(found["knockouts"], "ivtlr", f"drop latent_text{arm}")
        assert mark.get_ydata() == pytest.approx([100 * right])
    assert [mark.get_fillstyle() for mark in (held, closed, kept)] == ["full", "left", "full"]
    assert held.get_markerfacecolor() == held.get_color()
    assert kept.get_markerfacecolor() == "white"


def test_knockouts_label_models_and_the_questions_they_were_asked(make):
    (axis,) = make("knockouts").figure.axes
    labels = [tick.get_text() for tick in axis.get_xticklabels()]
    assert labels == ["ivtlr", "relay", "bypass\n(one hop)"]


def test_the_table_of_knockouts_sets_losses_beside_their_controls(make, found):
    made = make("knockouts_table")
    assert len(made.cells) == len(made.data) == 3 * (3 + 2 + 3)
    assert not made.data["intervention"].str.contains("sham|:").any()
    line = made.data[(made.data["model"] == "ivtlr") & (made.data["intervention"] == "drop latent")]
    alone = fraction(found["knockouts"], "ivtlr", "none")
    lost = alone - fraction(found["knockouts"], "ivtlr", "drop latent")
    assert line["lost"].item() == pytest.approx(lost)
    shown = made.cells.loc[line.index[0]]
    assert shown["points lost"].startswith(f"{100 * lost:.1f} [")
    for column, heading, arm in (
        ("closed_lost", "points lost, closed up", f"drop latent: {CLOSED}"),
        ("kept_lost", "points lost, slots empty", f"drop latent: {EMPTY}"),
        ("control_lost", "points lost, control", f"other latent: {PROMPT}"),
    ):
        wanted = alone - fraction(found["knockouts"], "ivtlr", arm)
        of = made.data[(made.data["model"] == "ivtlr")]
        of = of[of["intervention"] == arm.partition(":")[0]]
        assert of[column].item() == pytest.approx(wanted)
        cell = made.cells.loc[of.index[0], heading]
        assert cell.startswith(f"{100 * wanted:.1f} [")
    assert shown["knock-out"] == "latents: left out"
    assert made.cells["model"].iloc[-1] == "bypass (one hop)"


def test_the_main_table_counts_right_answers_and_keeps_published_numbers_apart(make, found):
    made = make("main_table")
    assert made.cells["method"].tolist() == ["cot", "no_cot", "ivtlr", "coconut"]
    line = made.data.set_index("model").loc["coconut"]
    rows = found["answers"].rows
    of_model = rows[rows["model"] == "coconut"]
    assert line["accuracy"] == pytest.approx(of_model["correct"].mean())
    by_hops, by_domain_ = (of_model.groupby(name)["correct"].mean() for name in ("hops", "domain"))
    assert line["hops 4"] == pytest.approx(by_hops[4])
    assert line["domain digits"] == pytest.approx(by_domain_["digits"])
    assert line["ms"] == pytest.approx(70)
    assert line["steps"] == 10
    assert f"4 hops (n={N // 2})" in made.cells
    assert "71.8 (10.0 steps, 0.65 s)" in made.published.to_numpy()
    assert not made.cells.isin(made.published.to_numpy().ravel()).any().any()


def test_the_table_of_organisms_shows_what_their_logs_say(make):
    from latentlab.checkpoint import ZOO

    made = make("organisms")
    log = [json.loads(line) for line in (ZOO / "cot" / "metrics.jsonl").read_text().splitlines()]
    ends = [entry for entry in log if "held_out" in entry]
    line = made.data.set_index("model").loc["cot"]
    assert line["updates"] == sum(entry["update"] for entry in ends)
    minutes = sum(entry["cpu_seconds"] for entry in ends) / 60
    assert line["CPU minutes"] == pytest.approx(minutes, abs=0.05)
    assert made.cells.columns[:4].tolist() == ["model", "4 hops", "digits", "letters"]


def test_a_model_without_a_log_has_no_updates(make, found):
    answers = found["answers"]
    renamed = answers.summary.replace({"model": {"cot": "mine"}})
    run = answers.run | {"config": answers.run["config"] | {"model": ["ivtlr", "mine"]}}
    kept = renamed[renamed["model"].isin(["ivtlr", "mine"])]
    made = make("organisms", {"answers": Results(answers.rows, kept, run)})
    assert made.cells.set_index("model").loc["mine", "updates"] == MISSING


def test_retrained_arms_are_paired_with_the_full_method(make, found):
    made = make("retrained_arms")
    rows = found["answers"].rows
    four = rows[rows["hops"] == 4]
    right = four.pivot(index="example", columns="model", values="correct").astype(float)
    gap = made.data.set_index("model").loc["cot", "gap"]
    assert gap == pytest.approx((right["cot"] - right["ivtlr"]).mean())
    assert gap < 0
    assert made.cells.iloc[0]["points above full on 4 hops"] == MISSING
    assert "cot_vision" not in made.data["model"].to_numpy()
    assert "Not among the results: cot_vision." in made.caption
    assert made.published["M3CoT %"].tolist() == ["71.83", "52.20", "46.64", "58.02"]


def test_retrained_arms_without_any_of_them_are_an_empty_table(make, found, tmp_path):
    rows = rows_of("mine", {}, "m3cot", known=False)
    results = results_of(studies.ANSWERS, rows, tmp_path, summarise_answers)
    made = make("retrained_arms", {"answers": results})
    assert made.cells.empty
    assert "Not among the results: ivtlr" in made.caption
    write(made, "empty", tmp_path)


def test_replacements_stand_in_rows_with_their_controls(make, found):
    made = make("replacements")
    data = made.data
    assert set(data["series"]) == {"latents", "prompt"}
    assert set(data["part"]) == {"latent_text", "latent_vision"}
    for _, line in data.iterrows():
        alone = fraction(found["replacements"], line["model"], "none")
        left = fraction(found["replacements"], line["model"], line["intervention"])
        assert line["lost"] == pytest.approx(alone - left)
        assert (line["series"] == "latents") == (":" not in line["intervention"])
    ivtlr = made.figure.axes[0]
    assert [axis.get_title() for axis in made.figure.axes] == ["ivtlr", "relay", "", ""]
    labels = [axis.get_ylabel() for axis in made.figure.axes]
    assert labels == ["latent text", "", "latent vision", ""]
    assert [text.get_text() for text in made.figure.axes[3].texts] == ["none"]
    labels = [tick.get_text() for tick in ivtlr.get_yticklabels()]
    assert labels == ["zeros", "placeholder token", "another question's", "steps permuted"]
    latents = ivtlr.containers[0][0]
    of_text = (data["model"] == "ivtlr") & (data["part"] == "latent_text")
    wanted = data[of_text & (data["series"] == "latents")]
    rows = {"zero": 0, "placeholder": 1, "other": 2, "permute": 3}
    places = [round(place) for place in latents.get_ydata()]
    assert places == [rows[row] for row in wanted["row"]]
    np.testing.assert_allclose(latents.get_xdata(), 100 * wanted["lost"])
    assert latents.get_markerfacecolor() == latents.get_color()
    assert ivtlr.containers[1][0].get_markerfacecolor() == "white"


def test_noise_is_sorted_by_strength_part_and_control(make, found):
    made = make("noise")
    assert sorted(set(made.data["sigma"])) == [0, 0.1, 4]
    line = made.data[
        (made.data["model"] == "ivtlr")
        & (made.data["part"] == "latent_vision")
        & (made.data["sigma"] == 4)
    ].set_index("kind")
    alone = fraction(found["noise"], "ivtlr", "none")
    arm = "norm-kept noise 4 latent_vision"
    for kind, name in ((KNOCK_OUT, arm), (CONTROL, f"{arm}: {PROMPT}")):
        wanted = alone - fraction(found["noise"], "ivtlr", name)
        assert line.loc[kind, "lost"] == pytest.approx(wanted)
    text, control, vision, _ = made.figure.axes
    assert len(text.containers) == 2
    curves = [container[0] for container in vision.containers if len(container[0].get_xdata())]
    assert len(curves) == 1  # the other model has no latent vision
    assert list(curves[0].get_xdata()) == [0, 1, 2]
    assert control.get_title() == "as many of the prompt"


def test_patches_have_a_point_for_each_rule_and_number_and_for_what_was_trained(make, found):
    made = make("patches")
    data = made.data.set_index(["positions", "rule", "k"])
    assert len(data) == 2 * (3 * 5 + 1) + (3 * 2 + 1)
    assert "ivtlr was trained with k=2" in made.caption
    names = {"held": "", "closed": f": {CLOSED}", "kept": f": {EMPTY}"}
    for (positions, rule, k), line in data.iterrows():
        wanted = fraction(found["patches"], "ivtlr", line["intervention"])
        assert line["accuracy"] == pytest.approx(wanted)
        moved = names[positions] if k != 2 else ""  # as many slots move nothing
        if (rule, k) == ("attention", 2):
            assert line["intervention"] == "none"
        elif rule in ("random", "bottom"):
            assert line["intervention"] == f"select {rule}, k={k}{moved}"
    for positions, right in (("held", 5), ("closed", 8), ("kept", 12)):
        assert data.loc[(positions, "none", 0), "accuracy"] == pytest.approx(right / N)
    titles = [axis.get_title() for axis in made.figure.axes]
    assert titles == ["positions held", "positions closed up", "slots kept, empty"]


def test_models_trained_with_other_numbers_of_patches_are_read_off_their_logs(
    make, monkeypatch, tmp_path
):
    group = {"n": 10, "accuracy": 0.7, "low": 0.4, "high": 0.9}
    entry = {"held_out": {"all": group | {"n": 30}, "letters/1": group, "letters/4": group}}
    entry["held_out"]["digits/4"] = {"n": 30, "accuracy": 0.1, "low": 0.0, "high": 0.3}
    early = {"held_out": {"letters/4": group | {"accuracy": 0.0}}}
    log = [
        {"stage": "a", "update": 5, "cpu_seconds": 1.0} | early,
        {"stage": "b", "update": 7, "cpu_seconds": 1.0} | entry,
    ]
    (tmp_path / "ivtlr_k4.jsonl").write_text("".join(json.dumps(x) + "\n" for x in log))
    (tmp_path / "ivtlr_k4_notes.jsonl").write_text("not read")
    (experiment,) = find_experiments(EXPERIMENTS, ["patches_trained"])
    monkeypatch.setitem(experiment.make.__globals__, "DATA", tmp_path)
    made = experiment.make({})
    data = made.data.set_index(["k", "domain"])
    assert data.loc[(4, "letters"), "accuracy"] == pytest.approx(0.7)
    assert data.loc[(4, "all"), "accuracy"] == pytest.approx((7 + 3) / 40)
    assert data.loc[(4, "all"), "n"] == 40
    assert {0, 2, 4} == set(made.data["k"])
    assert "4: 12" in made.caption


def test_steps_are_shown_by_stage_at_inference_and_with_their_control(make, found):
    made = make("steps")
    data = made.data.set_index(["model", "panel", "steps", "domain"])
    source = found["step-counts"]
    assert data.loc[("ivtlr", "closed", 2, "all"), "accuracy"] == pytest.approx(6 / N)
    assert data.loc[("ivtlr", "held", 2, "all"), "accuracy"] == pytest.approx(5 / N)
    assert data.loc[("ivtlr", "kept", 2, "all"), "accuracy"] == pytest.approx(3 / N)
    assert ("ivtlr", "held", 4, "all") not in data.index
    wanted = fraction(source, "ivtlr", "steps=4", domain="digits")
    assert data.loc[("ivtlr", "closed", 4, "digits"), "accuracy"] == pytest.approx(wanted)
    assert data.loc[("relay", "kept", 4, "all"), "accuracy"] == pytest.approx(5 / N)
    for panel in ("closed", "held", "kept"):
        assert data.loc[("ivtlr", panel, 3, "all"), "accuracy"] == pytest.approx(18 / N)
    of_training = (made.data["model"] == "ivtlr") & (made.data["panel"] == "training")
    assert set(made.data.loc[of_training, "steps"]) == {0, 1, 2, 3}
    assert len(made.figure.axes) == 8


def test_stages_that_were_trained_on_count_with_their_last(make):
    from latentlab.checkpoint import ZOO
    from latentlab.training.metrics import read_metrics

    last = read_metrics(ZOO / "ivtlr" / "metrics.jsonl")[-1]["held_out"]
    data = make("steps").data.set_index(["model", "panel", "steps", "domain"])
    line = data.loc[("ivtlr", "training", 3, "digits")]
    assert line["accuracy"] == pytest.approx(last["digits/4"]["accuracy"])
    assert line["n"] == last["digits/4"]["n"]


def test_words_and_latents_stand_side_by_side(make, found):
    made = make("rationales")
    assert set(made.data["series"]) == {"cot (words)", "ivtlr (latents)", "relay (latents)"}
    assert set(made.data["row"]) == {"other", "permute", "reverse"}
    words = made.data[made.data["content"] == "words"].set_index("row")
    assert words.loc["permute", "lost"] == pytest.approx((18 - 1) / N)
    latents = made.data[made.data["series"] == "ivtlr (latents)"].set_index("row")
    wanted = 0.9 - fraction(found["replacements"], "ivtlr", "permute latent")
    assert latents.loc["permute", "lost"] == pytest.approx(wanted)
    assert "costs 0.0 points at most" in made.caption


def test_topics_divide_the_losses(make, found):
    made = make("topics")
    assert list(dict.fromkeys(made.data["row"])) == ["all", "digits: dark", "letters: sans"]
    line = made.data[
        (made.data["row"] == "digits: dark")
        & (made.data["model"] == "ivtlr")
        & (made.data["intervention"] == "drop latent_text")
    ]
    source, group = found["knockouts"], {"topic": "dark"}
    wanted = fraction(source, "ivtlr", "none", **group)
    wanted -= fraction(source, "ivtlr", "drop latent_text", **group)
    assert line["lost"].item() == pytest.approx(wanted)
    assert [axis.get_title() for axis in made.figure.axes] == [
        "without latent text",
        "without latent vision",
        "without latents",
    ]


def test_numbers_of_hops_are_groups_where_there_are_several(make, found, tmp_path):
    rows = rows_of("ivtlr", knock_outs(BOTH), hops=(1, 4))
    rows["question_type"] = ["chain", "count"] * (len(rows) // 2)
    made = make("topics", {"knockouts": results_of(studies.KNOCKOUTS, rows, tmp_path)})
    groups = list(dict.fromkeys(made.data["row"]))
    assert groups[-4:] == ["chain", "count", "1 hop", "4 hops"]


def test_necessity_counts_every_question_once(make, found):
    data = make("necessity").data
    for _, group in data.groupby(["series", "row"]):
        assert set(group["necessity"]) == set(LABELS)
        assert group["count"].sum() == group["n"].iloc[0]
    line = data[(data["series"] == "ivtlr") & (data["row"] == "all")].set_index("necessity")
    rows = found["knockouts"].rows
    rows = rows[rows["model"] == "ivtlr"].pivot(
        index="example", columns="intervention", values="correct"
    )
    needed = (rows["none"] & ~rows["placeholder latent"]).sum()
    assert line.loc["needed", "count"] == needed
    assert line.loc["needed", "share"] == pytest.approx(needed / N)
    assert "bypass (one hop)" in set(data["series"])


def test_every_experiment_is_titled_and_reads_studies_of_the_one_place():
    known = {
        study.name for study in vars(studies).values() if isinstance(study, type(studies.NOISE))
    }
    for experiment in find_experiments(EXPERIMENTS, NAMES):
        assert experiment.title.endswith(".")
        assert {study.name for study in experiment.studies} <= known
