"""How much the answer looks back at the latents, as a table and in sentences; made of the summary.

No sentence says that what is attended to is used: `decoy`-like models attend without use, and a
latent may be used by later latents that the answer then reads.
"""

from typing import Any

import pandas as pd

from latentlab.attention.summary import AFTER, is_control
from latentlab.console import estimate, percent, table
from latentlab.measures.summary import ALL
from latentlab.wording import paragraph, place_name, sentence

Line = dict[Any, Any]

COLUMNS = {
    "answer_mass": "attention, %",
    "reward": "in layer 0, %",
    "answer_gradient": "x gradient, nats",
    "answer_share": "of all sizes, %",
}
"""What the table shows, and its headings."""

SPARE = ("answer_gradient", "answer_share")
"""Columns that a narrow screen does without, the first to go first."""

_PERCENT = ("answer_mass", "uniform", "reward", "answer_share")


def show_readout(summary: pd.DataFrame, by_layer: bool = False) -> None:
    """Put one table on the screen: a line for each model and part of its latents.

    Args:
        summary: lines of `attention.summary.summary_of`.
        by_layer: whether each layer has a line, too.
    """
    rows = []
    whole = _whole(summary)
    for key, lines in whole.groupby(["model", "layers", "keys"], sort=False):
        model, layers, part = map(str, key)
        if layers != ALL and not by_layer:
            continue
        found = _by_measure(lines)
        if layers == ALL and part == "latent":
            found["reward"] = _reward(whole, model)
        mass = found["answer_mass"]
        row = {"model": model, "layer": layers, "keys": place_name(part), "uniform": mass["null"]}
        row |= {
            f"{measure}{end}": found[measure][f"value{end}"] if measure in found else None
            for measure in COLUMNS
            for end in ("", "_low", "_high")
        }
        rows.append(row)
    if not rows:
        return
    columns = {"model": "model", **({"layer": "layer"} if by_layer else {}), "keys": "keys"}
    columns |= {"answer_mass": COLUMNS["answer_mass"], "uniform": "if uniform", **COLUMNS}
    frame = pd.DataFrame(rows).assign(n=whole["n"].max())
    title = f"attention of the answer to latents; {whole['n'].max()} questions"
    table(
        frame, columns, title, percent=_PERCENT, changes=("answer_gradient",), spare=SPARE, keys=2
    )


def readout(summary: pd.DataFrame) -> list[str]:
    """One sentence a model: how much its answer attends to latents, next to its null.

    Args:
        summary: lines of `attention.summary.summary_of`.
    """
    whole = _whole(summary)
    sentences = []
    for model in whole["model"].unique():
        of_model = whole[(whole["model"] == model) & (whole["keys"] == "latent")]
        found = _by_measure(of_model[of_model["layers"] == ALL])
        mass, reward = found["answer_mass"], _reward(whole, model)
        text = (
            f"its answer puts {estimate(mass, 'value')} of its attention on latents (uniform: "
            f"{percent(mass['null'])}; n = {mass['n']}), {estimate(reward, 'value')} in layer 0, "
            "the published reward"
        )
        if "answer_gradient" in found:
            share = estimate(found["answer_share"], "value")
            text += f"; weighted by gradients, {share} of the sizes over all keys"
        sentences.append(paragraph(str(model), sentence(text)))
    return sentences


def _whole(summary: pd.DataFrame) -> pd.DataFrame:
    """Lines over all examples that are no differences and of no control.

    Of a model with one part only, that part is all its latents: it stands there once.
    """
    lines = summary[(summary["query"] == AFTER) & (summary["against"] == "")]
    lines = lines[(lines["domain"] == ALL) & (lines["answered"] == ALL)]
    lines = lines[~lines["mode"].map(is_control).astype(bool)]
    parts = lines.groupby("model")["keys"].transform("nunique")
    return lines[(lines["keys"] == "latent") | (parts > 2)]


def _by_measure(lines: pd.DataFrame) -> dict[str, Line]:
    """Lines as records by their measure."""
    return {str(line["measure"]): line for line in lines.to_dict("records")}


def _reward(whole: pd.DataFrame, model: str) -> Line:
    """The published reward of a model, which stands among the lines of layer 0."""
    lines = whole[(whole["model"] == model) & (whole["measure"] == "reward")]
    return _by_measure(lines)["reward"]
