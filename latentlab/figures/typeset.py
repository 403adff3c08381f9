"""Tables as Markdown and as LaTeX.

In LaTeX, numbers of a column stand with their points below each other: what a number lacks in
digits and signs is put before it as white of the same width, in each of its places (an estimate,
and both ends of its interval). Letters are as large as those of the caption; a table that is too
wide loses columns where it is made and is never shrunk. Only the package booktabs is needed.
"""

import re

import pandas as pd

from latentlab.console import visible
from latentlab.figures.style import COLUMN, PAGE

PUBLISHED = "Published, of another model and other data: not to be compared cell by cell."
"""What stands above numbers that are not ours."""

CITE = "cite"
"""Column of published numbers with the keys of published.bib."""

LETTERS = {COLUMN: 50, PAGE: 114}
"""Letters that a line of a table has room for, gaps between columns included, by its inches."""

_GAP = 2  # letters that a gap between columns is wide
_NUMBER = re.compile(r"([−+<]?)(\d+)((?:\.\d+)?)")
_NUMERIC = re.compile(r"[−+<]?\d[\d.,]*( \[[^]]*\])?|–")
_TEX = str.maketrans(
    {character: f"\\{character}" for character in "%_&#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"−": "$-$", "+": "$+$", "<": "$<$", ">": "$>$", "|": "$|$", "±": r"$\pm$", "–": "--"}
    | {"≥": r"$\geq$", "≤": r"$\leq$", "→": r"$\to$", "×": r"$\times$", "σ": r"$\sigma$"}
)

_MARKDOWN = re.compile(r"\\|<(?=[A-Za-z/!?])|&(?=[A-Za-z#])|!(?=\[)|\](?=[(\[:])|`")


def as_markdown(text: str) -> str:
    """A text that Markdown shows as it is: no HTML, picture, link or code comes of it."""
    return _MARKDOWN.sub(r"\\\g<0>", visible(text))


def markdown(cells: pd.DataFrame, published: pd.DataFrame | None = None) -> str:
    """A table as Markdown, with the block of published numbers below it."""
    text = _grid(cells)
    if published is not None:
        text += f"\n{PUBLISHED}\n\n{_grid(published.drop(columns=CITE, errors='ignore'))}"
    return text


def _grid(cells: pd.DataFrame) -> str:
    """Cells as a grid of Markdown; columns of numbers are set to the right."""

    def line(values: list[str]) -> str:
        shown = (as_markdown(" ".join(value.split())).replace("|", "\\|") for value in values)
        return "| " + " | ".join(shown) + " |\n"

    rows = [[str(value) for value in row] for row in cells.to_numpy().tolist()]
    head = [" ".join(str(name).split()) for name in cells.columns]
    rule = ["---:" if _numeric(cells.iloc[:, i]) else "---" for i in range(len(head))]
    return line(head) + line(rule) + "".join(map(line, rows))


def latex(
    cells: pd.DataFrame,
    caption: str,
    label: str,
    published: pd.DataFrame | None = None,
    grouped: bool = False,
) -> str:
    """A table as LaTeX, over both columns of the page where it is wide.

    Args:
        cells: what is printed.
        caption: its paragraphs become one.
        label: name to refer to it by, after `tab:`.
        published: a block of its own below.
        grouped: whether the first column names groups of lines.
    """
    kind = "table" if width_of(cells) == COLUMN else "table*"
    lines = [
        f"\\begin{{{kind}}}[t]",
        "\\centering\\small",
        f"\\caption{{{_shown(caption).translate(_TEX)}}}",
        f"\\label{{tab:{label}}}",
        "\\smallskip\n",
        _tabular(cells.map(_shown), grouped),
    ]
    if published is not None:
        lines += [
            "\\medskip",
            "",
            PUBLISHED,
            "",
            "\\smallskip",
            _tabular(_cited(published.map(_shown))),
        ]
    return "\n".join([*lines, f"\\end{{{kind}}}", ""])


def _shown(cell: object) -> str:
    """A cell on one line."""
    return " ".join(visible(str(cell)).split())


def width_of(cells: pd.DataFrame) -> float:
    """Inches of the columns of paper that a table takes."""
    return COLUMN if letters(cells) <= LETTERS[COLUMN] else PAGE


def letters(cells: pd.DataFrame) -> int:
    """Letters in the widest line of a table, gaps between columns included."""
    widths = [
        max(len(text) for text in (*str(name).split("\n"), *map(str, cells.iloc[:, i])))
        for i, name in enumerate(cells.columns)
    ]
    return sum(widths) + _GAP * (len(widths) - 1)


def _cited(published: pd.DataFrame) -> pd.DataFrame:
    """Published numbers with their keys behind the first column."""
    if CITE not in published:
        return published
    first = published.columns[0]
    named = [f"{name} \0{key}" for name, key in zip(published[first], published[CITE], strict=True)]
    return published.assign(**{first: named}).drop(columns=CITE)


def _tabular(cells: pd.DataFrame, grouped: bool = False) -> str:
    numeric = [_numeric(cells.iloc[:, i]) for i in range(cells.shape[1])]
    columns = [
        aligned(list(cells.iloc[:, i])) if numeric[i] else [_escaped(c) for c in cells.iloc[:, i]]
        for i in range(cells.shape[1])
    ]
    layout = "".join("r" if of_numbers else "l" for of_numbers in numeric)
    head = [
        _heading(str(name), "r" if of_numbers else "l")
        for name, of_numbers in zip(cells.columns, numeric, strict=True)
    ]
    lines = [f"\\begin{{tabular}}{{@{{}}{layout}@{{}}}}", "\\toprule", " & ".join(head) + r" \\"]
    lines.append("\\midrule")
    before = None
    for row in zip(*columns, strict=True):
        first, rest = row[0], row[1:]
        if grouped and first == before:
            first = ""
        elif grouped and before is not None:
            lines.append("\\addlinespace")
        before = row[0]
        lines.append(" & ".join((first, *rest)) + r" \\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"])


def _heading(name: str, side: str) -> str:
    """A heading; one of several lines is a stack of them."""
    parts = [_escaped(_shown(part)) for part in name.split("\n")]
    stack = " \\\\ ".join(parts)
    return parts[0] if len(parts) == 1 else f"\\shortstack[{side}]{{{stack}}}"


def _escaped(text: str) -> str:
    words, _, key = str(text).partition(" \0")
    return words.translate(_TEX) + (f"~\\cite{{{key}}}" if key else "")


def aligned(column: list[str]) -> list[str]:
    """Cells of numbers in LaTeX, each number as wide as the widest in its place.

    Args:
        column: numbers, alone or with intervals; other cells stay as they are.
    """
    found = [list(_NUMBER.finditer(cell)) for cell in column]
    places = max(map(len, found), default=0)
    signs, digits = [0] * places, [0] * places
    for numbers in found:
        for i, match in enumerate(numbers):
            signs[i], digits[i] = max(signs[i], len(match[1])), max(digits[i], len(match[2]))

    def padded(cell: str, numbers: list["re.Match[str]"]) -> str:
        text, end = "", 0
        for i, match in enumerate(numbers):
            white = r"\phantom{$-$}" * (signs[i] - len(match[1]))
            if digits[i] > len(match[2]):
                white += f"\\phantom{{{'0' * (digits[i] - len(match[2]))}}}"
            text += _escaped(cell[end : match.start()]) + white + _escaped(match[0])
            end = match.end()
        return text + _escaped(cell[end:])

    return [padded(cell, numbers) for cell, numbers in zip(column, found, strict=True)]


def _numeric(column: "pd.Series[str]") -> bool:
    """Whether a column holds numbers, intervals and missing values alone."""
    return len(column) > 0 and all(_NUMERIC.fullmatch(str(cell)) for cell in column)
