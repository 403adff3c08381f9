"""What patching and attention knock-outs found, in grids and sentences; made of the summary alone.

A grid shows estimates only, so that it stays readable at many layers, and says how wide its widest
interval is; the sentences name the strongest cell of each kind of slot with its interval.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import estimate, interval_text, table
from latentlab.measures.statistics import Interval, judge
from latentlab.patch.cells import FROM_UNRELATED, RANDOM, SHAM, UNRELATED
from latentlab.patch.knockouts import RANDOM_KEYS
from latentlab.patch.summary import MODES
from latentlab.vocabulary import CONTROL

if TYPE_CHECKING:
    Line = pd.Series[float]

_DONE = {
    "restore": "clean activations put into the corrupt run",
    "corrupt": "corrupt activations put into the clean run",
}
_SLOTS = {
    ("prompt", ""): "at the end of the prompt",
    ("latent_text", ""): "at the latent text",
    ("latent_vision", ""): "at the latent vision",
    ("prompt", RANDOM): "at random positions of the prompt",
}
"""Words for the `part` and the `control` of a slot."""
_WORDS = {
    "latent": "its latents",
    "latent_text": "its latent text",
    "latent_vision": "its latent vision",
    "image": "the image",
    "prompt": "the question",
    "earlier": "earlier steps",
}


def show_tables(summary: pd.DataFrame) -> None:
    """Put on the screen a grid for each model, mode and component, and the knock-outs below."""
    for model, lines in summary.groupby("model", sort=False):
        for mode in MODES:
            grids = lines[(lines["mode"] == mode) & (lines["control"] != SHAM)]
            stream = grids["component"].where(grids["component"] != "resid_pre", "resid_post")
            parts = [stream, grids["head"].notna(), _unrelated(grids)]
            for (component, heads, control), cells in grids.groupby(parts, sort=False):
                title = f"{model}: {component}{' by head' if heads else ''}"
                _show_grid(f"{title}, control" if control else title, mode, cells)
        cut = lines[~lines["mode"].isin(MODES)]
        if len(cut):
            _show_knockouts(str(model), cut)


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each."""
    return [
        " ".join(_sentences(str(model), lines))
        for model, lines in summary.groupby("model", sort=False)
    ]


def _show_grid(title: str, mode: str, cells: pd.DataFrame) -> None:
    control = bool(_unrelated(cells).any())
    slots = cells["control_of"] if control else cells["slot"]
    layers = [_where(line).split()[-1] for _, line in cells.iterrows()]
    columns, labels = slots.unique().tolist(), list(dict.fromkeys(layers))
    grid = cells.assign(row=layers, slot=slots).pivot(
        index="row", columns="slot", values="recovery"
    )
    done = f"activations {FROM_UNRELATED}" if control else _DONE[mode]
    sides = [cells["recovery_high"] - cells["recovery"], cells["recovery"] - cells["recovery_low"]]
    widest = 100 * pd.concat(sides).max()
    table(
        (grid.loc[labels, columns].round(3) + 0).reset_index(),  # no minus before a zero
        {"row": "layer", **{slot: slot for slot in columns}},
        f"{title}, recovery in %: {done}; n={cells['n'].iloc[0]} pairs, "
        f"95 % intervals within ±{widest:.1f}",
        percent=columns,
    )


def _unrelated(lines: pd.DataFrame) -> "pd.Series[bool]":
    return lines["control"] == UNRELATED


def _where(line: "Line") -> str:
    """Component, layer and head of a cell; the last word is its row of the grid."""
    component = str(line["component"])
    if component == "resid_pre":
        return "input"
    name = "layer" if component == "resid_post" else component
    head = "" if pd.isna(line["head"]) else f".{line['head']}"
    return f"{name} {line['layer']}{head}"


def _show_knockouts(model: str, lines: pd.DataFrame) -> None:
    before = lines["accuracy"].iloc[0] - lines["delta"].iloc[0]
    n_layers = lines["layers"].max()
    where = [
        "all" if count == n_layers else f"{first}-{first + count - 1}"
        for first, count in zip(lines["layer"], lines["layers"], strict=True)
    ]
    control = lines["kind"] == CONTROL
    slots = lines["slot"].mask(control, f"  control: {RANDOM_KEYS}")
    table(
        lines.assign(slot=slots, where=where),
        {
            "slot": "attention knocked out",
            "where": "layers",
            "accuracy": "accuracy % [95 %]",
            "delta": "paired difference, points",
            "delta_smallest": "n could tell",
            "indirect_effect": "logit difference, nats",
            "p_holm": "p (Holm)",
        },
        f"{model}: without, {100 * before:.1f} % of {lines['n'].iloc[0]} answers are right",
        percent=("accuracy", "delta", "delta_smallest"),
    )


def _sentences(model: str, lines: pd.DataFrame) -> Iterator[str]:
    """What patches did, in each mode, and what knock-outs did."""
    first = lines.iloc[0]
    apart = interval_text(*_interval(first, "total_effect"), percent=False)
    start = f"{model}: clean and corrupt answer lie {apart} nats apart (n={first['n']} pairs)"
    modes = [mode for mode in MODES if (lines["mode"] == mode).any()]
    for mode in modes:
        cells = lines[lines["mode"] == mode]
        sham = cells[cells["control"] == SHAM].iloc[0]
        ends = [sham[f"indirect_effect{end}"] for end in ("", "_low", "_high")]
        disturbs = "" if ends == [0, 0, 0] else ": the instrument itself disturbs the model"
        said = _recovered(mode, cells)
        if cells["recovery"].isna().all():
            said = f"the runs do not differ measurably: nothing to recover{_could_tell(first)}"
        head = f"{start}; " if start else ""
        text = f"{head}{said}; sham {ends[0]:.1f} nats{disturbs}."
        yield f"{text[0].upper()}{text[1:]}" if not head else text
        start = ""
    if start:
        yield f"{start}."
    yield from _knocked_out(lines[~lines["mode"].isin(MODES)])


def _knocked_out(cut: pd.DataFrame) -> Iterator[str]:
    """What it costs to hide keys in all layers, each beside its control where it costs something.

    Where nothing is lost or gained measurably, the table has the numbers and the controls.
    """
    whole = cut[cut["layers"] == cut["layers"].max()]
    controls = {line["control_of"]: line for _, line in whole.iterrows() if line["control_of"]}
    costs: list[str] = []
    told: dict[str, list[tuple[str, float]]] = {}
    for _, line in whole[whole["kind"] != CONTROL].iterrows():
        query = "the answer" if line["query"] == "answer" else "its latent steps"
        name = f"{_WORDS[line['key']]} from {query}"
        if (verdict := _verdict(line)) in _MEASURED:
            beside = _effect(controls[line["slot"]])
            costs.append(f"hiding {name} {_effect(line)} (random keys: {beside})")
        else:
            told.setdefault(verdict, []).append((name, line["delta_smallest"]))
    for verdict, found in told.items():
        names = ", ".join(name for name, _ in found)
        least = max(smallest for _, smallest in found)
        said = "" if verdict == _NOTHING else f" (n could tell {100 * least:.1f} points)"
        costs.append(f"hiding {names} {verdict}{said}")
    if costs:
        text = "; ".join(costs)
        yield f"{text[0].upper()}{text[1:]}."


def _recovered(mode: str, cells: pd.DataFrame) -> str:
    """The strongest cell of each kind of slot, next to its control."""
    parts = []
    where = pd.Series([_where(line) for _, line in cells.iterrows()], cells.index)
    for (part, control), words in _SLOTS.items():
        here = cells[(cells["part"] == part) & (cells["control"] == control)]
        if here.empty:
            continue
        line = here.sort_values("recovery", ascending=mode == "corrupt").iloc[0]
        place = _where(line)
        words += "" if pd.isna(line["step"]) else f" of step {line['step']}"
        third = cells[(where == place) & (cells["control_of"] == line["slot"])]
        beside = f"; unrelated {estimate(third.iloc[0], 'recovery')}" if len(third) else ""
        parts.append(f"{estimate(line, 'recovery')} {words} ({place}{beside})")
    did = "brings back at most" if mode == "restore" else "leaves at least"
    return f"of that one patch {did} {', '.join(parts)}"


_MEASURED = {"harm": "costs", "gain": "gains"}
_NOTHING = "changes nothing at all"


def _verdict(line: "Line") -> str:
    """What a knock-out does to the accuracy: harm, gain, or why neither is said."""
    said = judge(Interval(*_interval(line, "delta"), int(line["n"])))
    if said in _MEASURED:
        return said
    if line["indirect_effect_low"] == line["indirect_effect_high"] == 0:
        return _NOTHING
    return "costs nothing measurable" if said == "no harm" else "may cost some, too few to tell"


def _effect(line: "Line") -> str:
    """What a knock-out does to the accuracy, in points."""
    mean, low, high = _interval(line, "delta")
    verdict = _verdict(line)
    if verdict == _NOTHING:
        return verdict
    if verdict == "harm":
        mean, low, high = -mean, -high, -low
    numbers = f"{100 * mean + 0:.1f} points [{100 * low + 0:.1f}, {100 * high + 0:.1f}]"
    if verdict in _MEASURED:
        return f"{_MEASURED[verdict]} {numbers}"
    return f"{numbers}; n could tell {100 * line['delta_smallest']:.1f}"


def _could_tell(line: "Line") -> str:
    """The smallest difference between the two runs that so many pairs would show."""
    least = line["total_effect_smallest"]
    return "" if pd.isna(least) else f" (n could tell {least:.2g} nats)"


def _interval(line: "Line", name: str) -> tuple[float, float, float]:
    return line[name], line[f"{name}_low"], line[f"{name}_high"]
