"""Tables as Markdown and LaTeX: escapes, alignment, and what stands apart."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from latentlab.figures.style import COLUMN, PAGE
from latentlab.figures.typeset import PUBLISHED, aligned, latex, letters, markdown, width_of

CELLS = pd.DataFrame({"arm": ["w/o a|b", "100 %"], "p_value": ["<0.001", "–"]})


def ink(text):
    """What a cell of LaTeX shows, white in the place of phantoms."""
    text = re.sub(r"\\phantom\{\$-\$\}", " ", text)
    text = re.sub(r"\\phantom\{(0+)\}", lambda m: " " * len(m[1]), text)
    return text.replace("$-$", "−").replace("$+$", "+").replace("$<$", "<")


def test_markdown_by_hand():
    assert markdown(CELLS).splitlines() == [
        "| arm | p_value |",
        "| --- | ---: |",
        "| w/o a\\|b | <0.001 |",
        "| 100 % | – |",
    ]
    assert markdown(CELLS.rename(columns={"arm": "the\narm"})).startswith("| the arm |")


def test_latex_escapes_what_would_break_it():
    text = latex(CELLS, "50 % of a_b & c#d\n\n{x} ~ ^ \\ $", "some")
    assert (
        r"\caption{50 \% of a\_b \& c\#d \{x\} \textasciitilde{} \textasciicircum{} "
        r"\textbackslash{} \$}"
    ) in text
    assert r"100 \% & --" in text
    assert r"arm & p\_value" in text
    assert r"$<$0.001" in text
    assert r"\label{tab:some}" in text
    assert r"\begin{tabular}{@{}lr@{}}" in text
    assert "adjustbox" not in text


def test_points_of_a_column_stand_below_each_other():
    cells = ["9.5 [8.0, 11.0]", "100.0 [99.0, 100.0]", "−2.0 [−10.0, +1.0]", "<0.1"]
    shown = [ink(cell) for cell in aligned(cells)]
    assert shown == [
        "   9.5 [  8.0,   11.0]",
        " 100.0 [ 99.0,  100.0]",
        "−  2.0 [−10.0, +  1.0]".replace("−  2.0", "  −2.0").replace("+  1.0", "  +1.0"),
        "  <0.1",
    ]
    points = [[i for i, letter in enumerate(line) if letter == "."] for line in shown[:3]]
    assert points[0] == points[1] == points[2]


def test_other_cells_of_a_column_stay_as_they_are():
    assert aligned(["–", "12"]) == ["--", "12"]
    assert aligned([]) == []


def test_wide_tables_take_both_columns_of_the_page_and_none_is_shrunk():
    wide = pd.DataFrame([["1" * 12] * 6], columns=list("abcdef"))
    text = latex(wide, "c", "wide")
    assert text.startswith(r"\begin{table*}[t]")
    assert text.rstrip().endswith(r"\end{table*}")
    assert width_of(wide) == PAGE
    assert width_of(CELLS) == COLUMN
    assert letters(CELLS) == len("w/o a|b") + len("p_value") + 2


def test_groups_are_named_once_and_set_apart():
    cells = pd.DataFrame({"model": ["a", "a", "b"], "n": ["1", "2", "3"]})
    body = latex(cells, "c", "l", grouped=True).partition("\\midrule\n")[2].splitlines()
    assert body[:4] == [r"a & 1 \\", r" & 2 \\", r"\addlinespace", r"b & 3 \\"]


def test_headings_of_several_lines_are_stacked():
    cells = pd.DataFrame({"model": ["a"], "change\n(points)": ["1.0"]})
    assert r"model & \shortstack[r]{change \\ (points)} \\" in latex(cells, "c", "l")


@pytest.mark.parametrize("key", [None, "chen2025"])
def test_published_numbers_stand_in_a_block_of_their_own(key):
    theirs = pd.DataFrame({"published": ["X"], "M3CoT %": ["71.8"]})
    theirs = theirs if key is None else theirs.assign(cite=key)
    ours, _, rest = markdown(CELLS, theirs).partition(PUBLISHED)
    assert "71.8" in rest and "71.8" not in ours
    assert "w/o a" in ours and "w/o a" not in rest
    assert "chen" not in rest
    tex = latex(CELLS, "c", "l", theirs)
    assert tex.count(r"\begin{tabular}") == 2
    assert tex.index("100") < tex.index(PUBLISHED) < tex.index("71.8")
    assert (r"X~\cite{chen2025}" in tex) == (key is not None)


PAPER = r"""\documentclass[10pt,twocolumn]{article}
\usepackage[textwidth=6.75in,textheight=9in,columnsep=0.25in]{geometry}
\usepackage{booktabs}
\begin{document}
%s
\end{document}
"""


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_every_table_of_the_checkout_fits_a_page_of_a_paper(tmp_path):
    tables = sorted((Path(__file__).parents[2] / "figures").glob("*.tex"))
    text = "\\clearpage\n".join(table.read_text(encoding="utf-8") for table in tables)
    (tmp_path / "all.tex").write_text(PAPER % text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "all"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert not re.findall(r"Overfull .hbox.*|.*too large for page.*", log)
