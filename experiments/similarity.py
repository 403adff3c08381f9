"""How alike latents are between questions and steps, next to ordinary tokens.

Study: `probe` (`latentlab.probe`): cosines of vectors of the same step of different questions and
of different steps of one question, raw, centred and whitened; effective rank (Roy and Vetterli,
2007) of all steps together. References are as many ordinary vectors. CapImagine (arXiv 2602.22766)
and ReaLVR report cosines near 1 and collapse along the steps for other models.
"""

import pandas as pd

from latentlab.console import MISSING, typeset
from latentlab.figures import studies
from latentlab.figures.artifacts import Table
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import sampled
from latentlab.figures.lines import names
from latentlab.wording import joined

PART = "appendix"

STUDIES = (studies.PROBES,)

BETWEEN, WITHIN = "inter-example cosine", "intra-example cosine"

RANK = "effective rank, centred"

COLUMNS = {
    f"{BETWEEN}, raw": ("questions, raw", 2),
    f"{BETWEEN}, centred": ("questions, centred", 2),
    f"{BETWEEN}, whitened": ("questions, whitened", 2),
    f"{WITHIN}, raw": ("steps, raw", 2),
    f"{WITHIN}, centred": ("steps, centred", 2),
    f"{WITHIN}, whitened": ("steps, whitened", 2),
    RANK: ("rank", 0),
}
"""What is printed, by the measure of the study: heading and decimals."""

PLACES = {
    "latent_text": "latent text",
    "latent_vision": "re-inserted patches",
    "words": "written words",
    "prompt": "end of the prompt",
    "placeholder": "empty slots",
    "patches": "patches at random",
}
"""Kinds of vectors, the ordinary ones last."""


def make(found: Found) -> Table:
    """The table: a line for each model and kind of vectors, a column for each measure."""
    results = found[studies.PROBES.name]
    lines = results.summary
    lines = lines[lines["step"].isna() & lines["place"].isin(list(PLACES))]
    lines = lines[lines["target"].isin(list(COLUMNS))]
    order = list(PLACES)
    lines = lines.assign(at=lines["place"].map(order.index)).sort_values("at", kind="stable")
    models = names(results.summary["model"])
    # A rank rests on pseudo-values of blocks, but on the same questions.
    asked = lines[lines["target"] != RANK].groupby("model")["n"].max()
    columns = [name for name in COLUMNS if (lines["target"] == name).any()]
    cells, data = [], []
    for model in models:
        for place in names(lines.loc[lines["model"] == model, "place"]):
            of = lines[(lines["model"] == model) & (lines["place"] == place)].set_index("target")
            cells.append([model, PLACES[place], *(_cell(of, name) for name in columns)])
            data.append({"model": model, "place": place, "n": asked[model]} | _numbers(of, columns))
    heads = ["model", "vectors", *(COLUMNS[name][0].replace(" ", "\n") for name in columns)]
    cosines = lines[lines["target"] != RANK]
    rank = lines[lines["target"] == RANK]
    caption = (
        f"{_finding(lines, models)}\n\n"
        "Cosines between vectors of the same step of different questions, and between steps of one "
        f"question: {sampled(cosines, results.run['config']['data'])}; raw, centred on the common "
        f"mean{', and whitened' * any('whitened' in name for name in columns)}. Rank: effective "
        "rank of the centred vectors. Intervals of 95 % over questions reach at most "
        f"{_reach(cosines):.2f} to either side of a cosine and {_reach(rank):.1f} of a rank."
    )
    shown = pd.DataFrame(cells, columns=heads)
    return Table(shown, pd.DataFrame(data), caption, grouped=True)


def _cell(of: pd.DataFrame, name: str) -> str:
    return typeset(of["value"][name], COLUMNS[name][1]) if name in of.index else MISSING


def _numbers(of: pd.DataFrame, columns: list[str]) -> dict[str, float]:
    """Every number of a line of the table with its interval."""
    ends = ("", "_low", "_high")
    return {
        f"{COLUMNS[name][0]}{end}": of[f"value{end}"].get(name, float("nan"))
        for name in columns
        for end in ends
    }


def _reach(lines: pd.DataFrame) -> float:
    """Half the width of the widest interval."""
    return float((lines["value_high"] - lines["value_low"]).max()) / 2


def _finding(lines: pd.DataFrame, models: list[str]) -> str:
    """The cosine between questions of latent text, and of its own model's empty slots."""
    raw = lines[lines["target"] == f"{BETWEEN}, raw"].set_index(["model", "place"])["value"]
    told = [
        f"{typeset(raw[model, 'latent_text'], 2)} ({model}; empty slots "
        f"{typeset(raw.get((model, 'placeholder'), float('nan')), 2)})"
        for model in models
        if (model, "latent_text") in raw
    ]
    return f"Between questions, the latent text of a step has a mean raw cosine of {joined(told)}."
