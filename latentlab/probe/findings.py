"""What latents hold, as tables and in sentences; made of the summary of `latentlab.probe` alone.

The sentences say "holds" only where probes read a step's own object better than with shuffled
labels and better than the object of any other hop. That something can be read does not say that
the model uses it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import interval_text, table
from latentlab.probe.probes import INPUT

if TYPE_CHECKING:
    Line = pd.Series[float]

ALPHA = 0.05
"""Adjusted p-values up to this count."""

FED = ("latent_text", "latent_vision")
"""Places of what a step is fed; a model's first is what sentences speak about."""

_NAMES = {
    "latent_text": "latent text",
    "latent_vision": "re-inserted patches",
    "words": "written words",
    "prompt": "end of the prompt",
    "placeholder": "empty slots",
    "patches": "patches at random",
}


def show_tables(summary: pd.DataFrame) -> None:
    """Put two tables of probes a model on the screen, and one of similarities."""
    for model, lines in summary.groupby("model", sort=False):
        probes = lines[lines["kind"] == "probe"]
        if len(probes):
            best = best_layer(probes)
            last = int(probes.loc[probes["place"] == "slot", "layer"].max())
            for layer in dict.fromkeys((best, last)):
                _show_grid(str(model), probes, layer, layer == best)
        _show_similarity(str(model), lines)


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each."""
    return [
        f"{model}: {' '.join(_sentences(lines))}"
        for model, lines in summary.groupby("model", sort=False)
    ]


def best_layer(probes: pd.DataFrame) -> int:
    """The layer in which the latents of a model tell their own hop best from the others.

    On average over steps; `INPUT` competes with the layers of the slots. Without objects of hops,
    the layer in which probes are most above shuffled labels.
    """
    here = probes[probes["place"].isin(["latent_text", "slot"])]
    own = here[here["target"] == "object " + here["step"].astype("str")]
    score, of = ("step_selectivity", own) if len(own) else ("selectivity", here)
    means = of.groupby("layer")[score].mean()
    return int(str(means.sort_values(ascending=False, kind="stable").index[0]))


def _show_grid(model: str, probes: pd.DataFrame, layer: int, best: bool) -> None:
    """Steps by targets: in how many of the questions each target can be read at each step."""
    here = probes[(probes["layer"] == layer) & probes["place"].isin(["slot", "latent_text"])]
    objects = here["target"].str.startswith("object ").astype(bool)
    targets = list(here.loc[objects if objects.any() else here.index, "target"].unique())
    question = probes[probes["place"] == "question"].assign(step="question alone")
    chance = here.sort_values("control").groupby("target", sort=False).tail(1)
    names = {"value": "control", "value_low": "control_low", "value_high": "control_high"}
    chance = chance.assign(
        step="shuffled labels", **{new: chance[old] for new, old in names.items()}
    )
    grid = pd.concat([here.astype({"step": object}), question, chance])
    rows = []
    for step, of_step in grid.groupby("step", sort=False):
        row: dict[str, object] = {"step": f"step {step}" if isinstance(step, int) else step}
        for _, line in of_step[of_step["target"].isin(targets)].iterrows():
            for end in ("", "_low", "_high"):
                row[f"{line['target']}{end}"] = float(line[f"value{end}"])
        rows.append(row)
    where = "as it is fed in" if layer == INPUT else f"after layer {layer} of its slot"
    title = f"{model}: what probes read off a latent {where}, % [95 %] of {here['n'].iloc[0]}"
    title += "; the best layer" if best else ""
    table(pd.DataFrame(rows), ["step", *targets], title, targets)


def _show_similarity(model: str, lines: pd.DataFrame) -> None:
    """One row for latents and each kind of ordinary tokens."""
    columns = {
        "inter-example cosine, raw": "between questions",
        "inter-example cosine, centred": "centred",
        "inter-example cosine, whitened": "whitened",
        "intra-example cosine, raw": "between steps",
        "intra-example cosine, centred": "centred",
        "effective rank, centred": "effective rank",
    }
    pooled = lines[lines["kind"].isin(["similarity", "rank"]) & lines["step"].isna()]
    rows = []
    for place, here in pooled.groupby("place", sort=False):
        row: dict[str, object] = {"vectors": _NAMES[str(place)]}
        row |= {f"{name}{end}": None for name in columns for end in ("", "_low", "_high")}
        for _, line in here[here["target"].isin(list(columns))].iterrows():
            for end in ("", "_low", "_high"):
                row[f"{line['target']}{end}"] = round(float(line[f"value{end}"]), 3)
        rows.append(row)
    title = (
        f"{model}: cosines between vectors of the same step, and of one question; effective rank"
    )
    table(pd.DataFrame(rows), {"vectors": "vectors", **columns}, title, ())


def _sentences(lines: pd.DataFrame) -> Iterator[str]:
    probes = lines[lines["kind"] == "probe"]
    fed = next((place for place in FED if (probes["place"] == place).any()), None)
    here = probes[probes["place"] == fed]
    cells = []
    for step in sorted(here["step"].unique()):
        of_step = here[here["step"] == step].set_index("target")
        if f"object {step}" in of_step.index:
            yield _held(int(step), of_step.loc[f"object {step}"])
            cells += [of_step.loc[name] for name in [f"cell {step}"] if name in of_step.index]
    if cells:
        best = max(cells, key=lambda line: float(line["value"]))
        can = "can" if _above(best) else "cannot"
        yield f"In which cell it lies {can} be read ({_beside(best, 'shuffled labels')})."
    if not cells and len(here):
        found = here[here["step"] == here["step"].max()]
        listed = [f"{line['target']} {_beside(line, 'shuffled')}" for _, line in found.iterrows()]
        yield f"Off its last latent probes read: {'; '.join(listed)}."
    yield from _gap(lines[lines["kind"] == "gap"])
    yield from _alone(lines)
    yield from _alike(lines)


def _held(step: int, line: "Line") -> str:
    """Whether the latent of a step holds the object of its own hop."""
    numbers = f"decodable in {_percent(line)} of {line['n']} questions"
    shuffled = f"shuffled labels {_plain(line['control'])}"
    hop = str(line["best_other_target"]).rpartition(" ")[2]
    other = f"best other hop, {hop}: {_plain(line['best_other'])}"
    what = f"the object of hop {step}"
    if not _above(line):
        return f"The latent of step {step} does not tell {what} ({numbers}; {shuffled})."
    if line["step_selectivity"] > 0 and line["p_other_holm"] <= ALPHA:
        return f"The latent of step {step} holds {what}: {numbers} ({shuffled}; {other})."
    return (
        f"The latent of step {step} tells no more of {what} than of another: {numbers} ({other})."
    )


def _gap(gaps: pd.DataFrame) -> Iterator[str]:
    """How much of the answer appears only after the latents."""
    where = {"slot": "in the best layer of its slot"}
    if gaps.empty:
        return
    parts = [
        f"{_plain(gap['control'])} {where.get(str(gap['place']), 'as it is fed in')} "
        f"(gap G {_percent(gap, ' points')})"
        for _, gap in gaps[gaps["place"] != "latent_vision"].iterrows()
    ]
    down = f"{_plain(gaps['best_other'].iloc[0])} at the answer marker"
    yield f"The answer is decodable in {down}, and off the last latent in {' and '.join(parts)}."


def _alone(lines: pd.DataFrame) -> Iterator[str]:
    """What the model itself says from its latents alone."""
    parts = []
    for reading, words in (("answer", "answers {} right"), ("likeliest option", "ranks {} first")):
        of_reading = lines[lines["target"] == reading]
        whole = of_reading[of_reading["kind"] == "left alone"].iloc[0]
        only = of_reading[of_reading["kind"] == "latent-only"].iloc[0]
        empty = "" if pd.isna(only["control"]) else f", with empty slots {_plain(only['control'])}"
        numbers = f" (untouched {_plain(whole['value'])}{empty})"
        parts.append(words.format(_percent(only)) + numbers)
    yield f"From its latents alone it {parts[0]}, and {parts[1]} among the options."


def _alike(lines: pd.DataFrame) -> Iterator[str]:
    """How alike latents of different questions are, next to ordinary tokens."""
    pooled = lines[lines["step"].isna()]
    parts = []
    for place in ("latent_text", "latent_vision", "words", "prompt"):
        here = {
            str(line["target"]): line for _, line in pooled[pooled["place"] == place].iterrows()
        }
        if raw := _cosine(here, "raw"):
            centred = _cosine(here, "centred")
            parts.append(f"{_NAMES[place]} {raw}{f', centred {centred}' if centred else ''}")
    yield f"Cosines between questions, step by step: {'; '.join(parts)}."


def _cosine(lines: "dict[str, Line]", space: str) -> str:
    """The cosine between questions with its interval; empty where it does not exist."""
    line = lines.get(f"inter-example cosine, {space}")
    if line is None:
        return ""
    return f"{line['value']:.2f} [{line['value_low']:.2f}, {line['value_high']:.2f}]"


def _above(line: "Line") -> bool:
    """Whether a probe reads more than one fitted on shuffled labels."""
    return bool(line["selectivity"] > 0 and line["p_holm"] <= ALPHA)


def _beside(line: "Line", name: str) -> str:
    return f"{_percent(line)}, {name} {_plain(line['control'])}"


def _percent(line: "Line", unit: str = " %") -> str:
    text = interval_text(line["value"], line["value_low"], line["value_high"])
    return text.replace(" ", f"{unit} ", 1)


def _plain(value: float) -> str:
    return f"{100 * value:.1f} %"
