"""Knock-outs: each model, arm and group of questions has the number of its rows."""

import pytest

from latentlab.ablate.necessity import LABELS
from latentlab.figures import studies
from latentlab.vocabulary import EMPTY, LATENT_PARTS, POSITION_ARMS

N = 20
PROMPT = "on unneeded prompt positions"
CLOSED = POSITION_ARMS["closed"]


def test_knockouts_show_each_model_under_each_arm(make, found, fraction):
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


def test_marks_tell_what_becomes_of_positions(make, found, fraction):
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


def test_the_table_of_knockouts_sets_losses_beside_their_controls(make, found, fraction):
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


def test_topics_divide_the_changes_of_what_is_emptied(make, found, fraction):
    made = make("topics")
    assert list(dict.fromkeys(made.data["row"])) == ["all", "digits: dark", "letters: sans"]
    emptied = f"drop latent_text: {EMPTY}"
    assert set(made.data["positions"]) == {"kept"}
    line = made.data[
        (made.data["row"] == "digits: dark")
        & (made.data["model"] == "ivtlr")
        & (made.data["intervention"] == emptied)
    ]
    source, group = found["knockouts"], {"topic": "dark"}
    wanted = fraction(source, "ivtlr", emptied, **group)
    wanted -= fraction(source, "ivtlr", "none", **group)
    assert line["delta"].item() == pytest.approx(wanted)
    assert [axis.get_title() for axis in made.figure.axes] == [
        "latent text emptied",
        "latent vision emptied",
    ]


def test_numbers_of_hops_are_groups_where_there_are_several(
    make, found, tmp_path, rows_of, results_of, knock_outs
):
    rows = rows_of("ivtlr", knock_outs(LATENT_PARTS), hops=(1, 4))
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
