"""What tables and figures are on disk: cells, escapes, and the files that belong together."""

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from latentlab.figures.artifacts import MISSING, PUBLISHED, Drawing, Table, latex, printed, write

LINES = pd.DataFrame(
    {
        "model": ["a", "b", "c"],
        "accuracy": [0.5, 1.0, 0.25],
        "accuracy_low": [0.25, 0.9, None],
        "accuracy_high": [0.75, 1.0, None],
        "nats": [-1.2345, float("nan"), 12.0],
        "p_holm": [0.0004, 0.0123, 1.0],
        "updates": pd.array([2100, None, 7], "Int64"),
    }
)


def test_printed_cells_by_hand():
    columns = {name: name for name in ("model", "accuracy", "nats", "p_holm", "updates")}
    cells = printed(LINES, columns, ("accuracy",))
    assert cells["model"].tolist() == ["a", "b", "c"]
    assert cells["accuracy"].tolist() == ["50.0 [25.0, 75.0]", "100.0 [90.0, 100.0]", "25.0"]
    assert cells["nats"].tolist() == ["-1.23", MISSING, "12"]
    assert cells["p_holm"].tolist() == ["<0.001", "0.012", "1.000"]
    assert cells["updates"].tolist() == ["2100", MISSING, "7"]


def test_printed_takes_headings_and_order_from_columns():
    cells = printed(LINES, {"accuracy": "right %", "model": "who"}, ())
    assert cells.columns.tolist() == ["right %", "who"]
    assert cells["right %"].iloc[0] == "0.5 [0.25, 0.75]"
    with pytest.raises(KeyError):
        printed(LINES, {"nobody": "x"}, ())


def table(**changes) -> Table:
    cells = pd.DataFrame({"arm": ["w/o a|b", "100 %"], "p_value": ["<0.001", MISSING]})
    made = {"cells": cells, "data": LINES, "caption": "50 % of a_b & c#d {x} ~ ^ \\ $"}
    return Table(**made | changes)


def test_a_table_is_markdown_latex_numbers_and_caption(tmp_path):
    files = write(table(), "some", tmp_path / "new")
    assert {file.name for file in files} == {"some.md", "some.tex", "some.csv", "some.txt"}
    assert all(file.is_file() for file in files)
    text = (tmp_path / "new" / "some.md").read_text()
    assert text.splitlines() == [
        "| arm | p_value |",
        "| --- | --- |",
        "| w/o a\\|b | <0.001 |",
        f"| 100 % | {MISSING} |",
    ]
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "new" / "some.csv"), LINES, check_dtype=False
    )
    assert (tmp_path / "new" / "some.txt").read_text() == table().caption + "\n"


def test_latex_escapes_what_would_break_it():
    text = latex(table(), "some")
    assert (
        r"\caption{50 \% of a\_b \& c\#d \{x\} \textasciitilde{} \textasciicircum{} "
        r"\textbackslash{} \$}"
    ) in text
    assert r"100 \% & –" in text
    assert r"arm & p\_value" in text
    assert r"$<$0.001" in text
    assert r"\label{tab:some}" in text
    assert r"\begin{tabular}{lr}" in text
    assert r"\begin{table}[t]" in text


def test_a_wide_table_takes_both_columns_of_the_page():
    wide = pd.DataFrame([["1"] * 6], columns=list("abcdef"))
    text = latex(table(cells=wide), "wide")
    assert text.startswith(r"\begin{table*}[t]")
    assert text.rstrip().endswith(r"\end{table*}")


def test_published_numbers_stand_in_a_block_of_their_own(tmp_path):
    theirs = pd.DataFrame({"published": ["X"], "M3CoT %": ["71.8"]})
    write(table(published=theirs), "both", tmp_path)
    ours, _, rest = (tmp_path / "both.md").read_text().partition(PUBLISHED)
    assert "71.8" in rest
    assert "71.8" not in ours
    assert "w/o a" in ours
    assert "w/o a" not in rest
    tex = (tmp_path / "both.tex").read_text()
    assert tex.count(r"\begin{tabular}") == 2
    assert tex.index("100") < tex.index(PUBLISHED) < tex.index("71.8")
    assert "71.8" not in (tmp_path / "both.csv").read_text()


def test_a_figure_is_pdf_png_numbers_and_caption_and_the_same_each_time(tmp_path):
    def draw() -> Drawing:
        figure, axis = plt.subplots()
        axis.plot(LINES["accuracy"])
        return Drawing(figure, LINES, "caption")

    first = write(draw(), "fig", tmp_path / "one")
    again = write(draw(), "fig", tmp_path / "two")
    assert {file.name for file in first} == {"fig.pdf", "fig.png", "fig.csv", "fig.txt"}
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()
    assert not plt.get_fignums()
