"""What latents hold, as tables and in sentences; made of the summary of `latentlab.probe` alone.

The sentences say "holds" only where probes read a step's own object better than with shuffled
labels and better than the object of any other hop. That something can be read does not say that
the model uses it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import estimate, percent, table
from latentlab.probe.probes import INPUT
from latentlab.wording import joined, paragraph, place_name, sentence

if TYPE_CHECKING:
    Line = pd.Series[float]

ALPHA = 0.05
"""Adjusted p-values up to this count."""

FED = ("latent_text", "latent_vision")
"""Places of what a step is fed; a model's first is what sentences speak about."""


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
        paragraph(str(model), *_sentences(lines))
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
    n = here["n"].iloc[0]
    title = f"{model}: what probes read off a latent {where}, % of {n} questions"
    title += "; the best layer" if best else ""
    names = {name: name.replace("_", " ") for name in ("step", *targets)}
    table(pd.DataFrame(rows).assign(n=n), names, title, targets)


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
        row: dict[str, object] = {"vectors": place_name(str(place))}
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
    """What latents hold, how much of the answer only the marker has, and what they do alone."""
    probes = lines[lines["kind"] == "probe"]
    fed = next((place for place in FED if (probes["place"] == place).any()), None)
    here = probes[probes["place"] == fed]
    held, cells = [], []
    for step in sorted(here["step"].unique()):
        of_step = here[here["step"] == step].set_index("target")
        if f"object {step}" in of_step.index:
            held.append((int(step), of_step.loc[f"object {step}"]))
            cells += [of_step.loc[name] for name in [f"cell {step}"] if name in of_step.index]
    if held:
        can = ""
        if cells:
            best = max(cells, key=lambda line: float(line["value"]))
            can = "the cell it lies in " + ("can" if _above(best) else "cannot") + " be read"
            can += f" ({_beside(best, 'shuffled labels')})"
        yield sentence(*_held(held), can)
    elif len(here):
        found = here[here["step"] == here["step"].max()]
        listed = [
            f"the {line['target']} in {_beside(line, 'shuffled')}" for _, line in found.iterrows()
        ]
        n = found["n"].iloc[0]
        yield sentence(f"off its last latent probes read {joined(listed)} ({n} questions)")
    yield from _gap(lines[lines["kind"] == "gap"])
    yield from _alone(lines)


def _held(steps: "list[tuple[int, Line]]") -> Iterator[str]:
    """Whether the latent of each step holds the object of its own hop, steps alike together."""
    for verdict in (_HOLDS, _NO_MORE, _NOTHING):
        alike = [(step, line) for step, line in steps if _verdict(line) == verdict]
        if not alike:
            continue
        several = len(alike) > 1
        names = joined([str(step) for step, _ in alike])
        numbers = joined([_percent(line) for _, line in alike])
        beside = []
        if verdict != _NO_MORE:
            shuffled = max(float(line["control"]) for _, line in alike)
            beside.append(f"shuffled labels: {_most(shuffled, several)}")
        if verdict != _NOTHING:
            others = max(float(line["best_other"]) for _, line in alike)
            beside.append(f"any other hop: at most {percent(others)}")
        yield (
            f"the latent{'s of steps' if several else ' of step'} {names} "
            f"{verdict[several].format(names)}, read by probes in {numbers} of "
            f"{alike[0][1]['n']} questions ({'; '.join(beside)})"
        )


def _most(value: float, several: bool) -> str:
    return f"{'at most ' if several else ''}{percent(value)}"


def _verdict(line: "Line") -> tuple[str, str]:
    if not _above(line):
        return _NOTHING
    own = line["step_selectivity"] > 0 and line["p_other_holm"] <= ALPHA
    return _HOLDS if own else _NO_MORE


_HOLDS = ("holds the object of hop {}", "hold the object of their own hop")
_NO_MORE = (
    "tells no more of the object of hop {} than of another",
    "tell no more of the object of their own hop than of another",
)
_NOTHING = ("does not tell the object of hop {}", "do not tell the object of their own hop")
"""What is said of one step, and of several."""


def _gap(gaps: pd.DataFrame) -> Iterator[str]:
    """How much of the answer appears only after the latents."""
    where = {"slot": "in the best layer of its slot"}
    if gaps.empty:
        return
    parts = [
        f"{percent(gap['control'])} off the last latent "
        f"{where.get(str(gap['place']), 'as it is fed in')}"
        for _, gap in gaps[gaps["place"] != "latent_vision"].iterrows()
    ]
    down = f"{percent(gaps['best_other'].iloc[0])} at the answer marker"
    yield sentence(f"probes read the answer in {joined([down, *parts])}")


def _alone(lines: pd.DataFrame) -> Iterator[str]:
    """What the model itself says from its latents alone."""
    parts = []
    for reading, words in (("answer", "answers {} right"), ("likeliest option", "ranks {} first")):
        of_reading = lines[lines["target"] == reading]
        whole = of_reading[of_reading["kind"] == "left alone"].iloc[0]
        only = of_reading[of_reading["kind"] == "latent-only"].iloc[0]
        empty = "" if pd.isna(only["control"]) else f", empty slots: {percent(only['control'])}"
        parts.append(
            words.format(_percent(only)) + f" (untouched: {percent(whole['value'])}{empty})"
        )
    yield sentence(f"from its latents alone it {joined(parts)}")


def _above(line: "Line") -> bool:
    """Whether a probe reads more than one fitted on shuffled labels."""
    return bool(line["selectivity"] > 0 and line["p_holm"] <= ALPHA)


def _beside(line: "Line", name: str) -> str:
    return f"{_percent(line)}, {name} {percent(line['control'])}"


def _percent(line: "Line") -> str:
    return estimate(line, "value")
