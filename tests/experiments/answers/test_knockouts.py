"""Knock-outs: each model, arm and group of questions has the number of its rows."""

import pandas as pd
import pytest

from latentlab.ablate.necessity import LABELS
from latentlab.console import typeset
from latentlab.figures import studies
from latentlab.figures.config import EXPERIMENTS
from latentlab.figures.experiment import find_experiments
from latentlab.figures.style import PAGE, PAPER
from latentlab.figures.typeset import LETTERS, letters
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
    axes = make("knockouts").figure.axes
    labels = [text.get_text() for text in axes[0].figure.legends[0].get_texts()]
    assert {"filled: positions held", "half: positions closed up"} <= set(labels)
    assert "hollow: slots kept, empty" in labels
    held, closed, kept = (container[0] for container in axes[0].containers[:3])
    for mark, arm in ((held, ""), (closed, f": {CLOSED}"), (kept, f": {EMPTY}")):
        right = fraction(found["knockouts"], "ivtlr", f"drop latent_text{arm}")
        assert mark.get_xdata() == pytest.approx([100 * right])
    assert [mark.get_fillstyle() for mark in (held, closed, kept)] == ["full", "left", "full"]
    assert held.get_markerfacecolor() == held.get_color()
    assert kept.get_markerfacecolor() == PAPER


def test_knockouts_have_a_panel_each_and_a_row_for_each_model(make, found, fraction):
    axes = make("knockouts").figure.axes
    labels = [tick.get_text() for tick in axes[0].get_yticklabels()]
    assert labels == ["ivtlr", "relay", "bypass (one hop)"]
    titles = [axis.get_title() for axis in axes]
    assert titles[:2] == ["without latent text", "without latent vision"]
    (alone, *_) = (line for line in axes[0].collections if len(line.get_segments()) == 1)
    level = 100 * fraction(found["knockouts"], "ivtlr", "none")
    assert alone.get_segments()[0][:, 0] == pytest.approx([level, level])


def test_the_finding_names_who_needs_which_part_under_every_rule(make):
    (experiment,) = find_experiments(EXPERIMENTS, ["knockouts"])
    finding = experiment.make.__globals__["finding"]
    line = {"arm": "drop latent_text", "delta_high": -0.1, "accuracy": 0.25}
    rows = [line | {"model": "a"}, line | {"model": "a", "accuracy": 0.5}, line | {"model": "b"}]
    rows += [line | {"model": "b", "delta_high": 0.1}]
    told = finding(pd.DataFrame(rows))
    assert "without latent text accuracy falls for a to 50 %;" in told
    assert "without latent vision no accuracy falls." in told


def test_the_table_of_knockouts_sets_changes_beside_their_controls(make, found, fraction):
    made = make("knockouts_table")
    assert made.cells["model"].tolist() == ["ivtlr"] * 3 + ["relay"] + ["bypass"] * 3
    assert len(made.cells) == len(made.data)
    line = made.data.iloc[2]
    assert (line["model"], line["part"]) == ("ivtlr", "latent")
    alone = fraction(found["knockouts"], "ivtlr", "none")
    for column, heading, arm in (
        ("held_delta", "left out,\nheld", "drop latent"),
        ("closed_delta", "left out,\nclosed up", f"drop latent: {CLOSED}"),
        ("kept_delta", "left out,\nslots empty", f"drop latent: {EMPTY}"),
        ("other_delta", "another\nquestion's", "other latent"),
        ("control_delta", "the same on\nthe prompt", f"other latent: {PROMPT}"),
    ):
        wanted = fraction(found["knockouts"], "ivtlr", arm) - alone
        assert line[column] == pytest.approx(wanted)
        shown = typeset(100 * wanted, 1, sign=True)
        assert made.cells.loc[2, heading].split(" [")[0] == shown
        assert shown.startswith(("−", "+", "0.0"))
    assert letters(made.cells) <= LETTERS[PAGE]


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
    made = make("necessity")
    data = made.data
    for _, group in data.groupby(["series", "domain"]):
        assert set(group["necessity"]) == set(LABELS)
        assert group["count"].sum() == group["n"].iloc[0]
    line = data[(data["series"] == "ivtlr") & (data["domain"] == "all")].set_index("necessity")
    rows = found["knockouts"].rows
    rows = rows[rows["model"] == "ivtlr"].pivot(
        index="example", columns="intervention", values="correct"
    )
    needed = (rows["none"] & ~rows["placeholder latent"]).sum()
    assert line.loc["needed", "count"] == needed
    assert line.loc["needed", "share"] == pytest.approx(needed / N)
    assert "bypass (one hop)" in set(data["series"])


def test_necessity_is_one_bar_a_model(make):
    made = make("necessity")
    (axis,) = made.figure.axes
    widths = [bar.get_width() for bar in axis.patches]
    assert sum(widths) == pytest.approx(100 * len(axis.get_yticks()))
    shares = 100 * made.data.loc[made.data["domain"] == "all", "share"]
    assert sorted(widths) == pytest.approx(sorted(shares))
