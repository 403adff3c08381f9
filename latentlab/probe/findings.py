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
        text = "; ".join(_held(held))
        if cells:
            best = max(cells, key=lambda line: float(line["value"]))
            can = "can" if _above(best) else "cannot"
            text += f"; the cell it lies in {can} be read ({_beside(best, 'shuffled labels')})"
        yield f"{text[0].upper()}{text[1:]}."
    elif len(here):
        found = here[here["step"] == here["step"].max()]
        listed = [f"{line['target']} {_beside(line, 'shuffled')}" for _, line in found.iterrows()]
        n = found["n"].iloc[0]
        yield f"Off its last latent probes read: {'; '.join(listed)} ({n} questions)."
    yield from _gap(lines[lines["kind"] == "gap"])
    yield from _alone(lines)


def _held(steps: "list[tuple[int, Line]]") -> Iterator[str]:
    """Whether the latent of each step holds the object of its own hop, steps alike together."""
    for verdict in (_HOLDS, _NO_MORE, _NOTHING):
        alike = [(step, line) for step, line in steps if _verdict(line) == verdict]
        if not alike:
            continue
        several = len(alike) > 1
        names = _and([str(step) for step, _ in alike])
        numbers = ", ".join(_percent(line) for _, line in alike)
        text = f"of {alike[0][1]['n']} questions"
        beside = []
        if verdict != _NO_MORE:
            shuffled = ", ".join(_plain(line["control"]) for _, line in alike)
            beside.append(f"shuffled labels {shuffled}")
        if verdict != _NOTHING:
            hops = [str(line["best_other_target"]).rpartition(" ")[2] for _, line in alike]
            others = ", ".join(_plain(line["best_other"]) for _, line in alike)
            beside.append(f"best other hop, {', '.join(hops)}: {others}")
        what = verdict[several].format(names)
        yield (
            f"the latent{'s of steps' if several else ' of step'} {names} {what} (decodable in "
            f"{numbers} {text}; {'; '.join(beside)})"
        )


def _and(names: list[str]) -> str:
    """Names as a list in words."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


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
