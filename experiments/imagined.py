"""Misleading imagined text, and latents made to mislead alike, on the very same questions.

Study: `misled` (`latentlab.interchange --donor counterfactual`). One mark names another object, so
that hop 3 leads elsewhere and the answer is another of the options. `capimagine` is given what a
teacher imagines on that picture, latent models their own latents of it, at their own picks; picture
and question stay as they were. All were trained on the same questions from the same base.
CapImagine (arXiv 2602.22766) publishes the control in words: 85.9 to 22.5 % on V*.
"""

import pandas as pd

from latentlab.figures import ways
from latentlab.figures.artifacts import Table, caption
from latentlab.figures.cells import printed
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, of_sham
from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import accuracy_interval
from latentlab.measures.summary import ALL
from latentlab.wording import joined

PART = "appendix"
STUDIES = (ways.MISLED,)

COLUMNS = {
    "model": "model",
    "content": "rewritten",
    "n": "n",
    "accuracy": "left alone\naccuracy (%)",
    "strict_flip": "answers become\nwhat it says (%)",
    "false_flip": "become\nanother (%)",
    "own_lift": "change in accuracy\n(points)",
}


def make(found: Found) -> Table:
    """The table: a line for each model."""
    results = found[ways.MISLED.name]
    lines = results.summary.fillna({"sham": "", "patches": ""})
    lines = lines[(lines["domain"] == ALL) & (lines["needed_cell"] == ALL)]
    lines = lines[(lines["sham"] == "") & (lines["patches"] != "needed")]
    alone = results.rows[results.rows["intervention"] == NONE]
    shown = []
    for _, line in lines.iterrows():
        of_model = alone.loc[alone["model"] == line["model"], "correct"].to_numpy(bool)
        right = accuracy_interval(of_model)
        content = "imagined text" if line["part"] == "rationale" else "latents"
        before = {"accuracy": right.mean, "accuracy_low": right.low, "accuracy_high": right.high}
        shown.append({"content": content, **line.to_dict(), **before})
    ends = [f"{name}{end}" for name in list(COLUMNS)[3:] for end in ("", "_low", "_high")]
    data = pd.DataFrame(shown)[["model", "content", "n", "part", "hop", *ends]]
    sham = results.rows.loc[results.rows["sham"] == "self", ["flip", "kl"]]
    text = (
        f"Questions of {results.run['config']['data']} with the mark of hop 3 changed: what a "
        "model imagines of that picture in words, or its latents, is put in; picture and question "
        f"stay. 95 % intervals, changes paired by question. {WEIGHTS} A model's own change "
        f"{of_sham(sham)}."
    )
    rates = ("accuracy", "strict_flip", "false_flip", "own_lift")
    cells = printed(data, COLUMNS, percent=rates, changes=("own_lift",))
    return Table(cells, data, caption(_finding(data), text))


def _finding(data: pd.DataFrame) -> str:
    """How far each model's accuracy falls."""
    falls = [
        f"by {-100 * line['own_lift']:.0f} points in {line['model']} ({line['content']}"
        f"{'' if line['own_lift_high'] < 0 else '; its interval includes 0'})"
        for _, line in data.iterrows()
    ]
    return f"Made to mislead, accuracy falls {joined(falls)}."
