"""What patching and attention knock-outs found, in grids and sentences; made of the summary alone.

A grid shows estimates only, so that it stays readable at many layers, and says how wide its widest
interval is; the sentences name the strongest cell of each kind of slot with its interval.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import amount, estimate, percent, table
from latentlab.measures.statistics import Interval, judge
from latentlab.patch.cells import FROM_UNRELATED, RANDOM, SHAM, UNRELATED
from latentlab.patch.summary import MODES
from latentlab.vocabulary import CONTROL
from latentlab.wording import COMPONENTS, SEEING, SEEN, joined, paragraph, sentence

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


def show_tables(summary: pd.DataFrame) -> None:
    """Put on the screen a grid for each model, mode and component, and the knock-outs below."""
    for model, lines in summary.groupby("model", sort=False):
        for mode in MODES:
            grids = lines[(lines["mode"] == mode) & (lines["control"] != SHAM)]
            stream = grids["component"].where(grids["component"] != "resid_pre", "resid_post")
            parts = [stream, grids["head"].notna(), _unrelated(grids)]
            for (component, heads, control), cells in grids.groupby(parts, sort=False):
                title = f"{model}: {COMPONENTS[str(component)]}{' by head' if heads else ''}"
                _show_grid(f"{title}, control" if control else title, mode, cells)
        cut = lines[~lines["mode"].isin(MODES)]
        if len(cut):
            _show_knockouts(str(model), cut)


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each."""
    return [
        paragraph(str(model), *_sentences(lines))
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
        f"{title}, recovery in %: {done}; n = {cells['n'].iloc[0]} pairs, "
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
    hidden = pd.Series([_hidden(line) for _, line in lines.iterrows()], lines.index)
    table(
        lines.assign(slot=hidden.mask(control, "  control: random keys"), where=where),
        {
            "slot": "attention knocked out",
            "where": "layers",
            "accuracy": "accuracy, %",
            "delta": "change in accuracy, points",
            "delta_smallest": "would have shown",
            "indirect_effect": "change in logit difference, nats",
            "p_holm": "p (Holm)",
        },
        f"{model}: without, {100 * before:.1f} % of {lines['n'].iloc[0]} answers are right",
        percent=("accuracy", "delta", "delta_smallest"),
        changes=("delta", "indirect_effect"),
        spare=("p_holm", "indirect_effect", "delta_smallest"),
        keys=2,
    )


def _hidden(line: "Line") -> str:
    """What is hidden from whom."""
    return f"{SEEN[str(line['key'])]} from {SEEING[str(line['query'])]}"


def _sentences(lines: pd.DataFrame) -> Iterator[str]:
    """What patches did, in each mode, and what knock-outs did."""
    first = lines.iloc[0]
    told = [
        f"clean and corrupt answers lie {estimate(first, 'total_effect', 'nats')} apart "
        f"({first['n']} pairs)"
    ]
    for mode in [mode for mode in MODES if (lines["mode"] == mode).any()]:
        cells = lines[lines["mode"] == mode]
        if cells["recovery"].isna().all():
            told.append(f"too little to tell what brings it back{_could_tell(first)}")
        else:
            told.append(_recovered(mode, cells))
        sham = float(cells[cells["control"] == SHAM].iloc[0]["indirect_effect"])
        if sham:
            told.append(f"putting its own back changes {sham:.1g} nats: {_DISTURBED}")
        yield sentence(*told)
        told = []
    if told:
        yield sentence(*told)
    yield sentence(*_knocked_out(lines[~lines["mode"].isin(MODES)]))


def _knocked_out(cut: pd.DataFrame) -> Iterator[str]:
    """What it costs to hide keys in all layers, each beside its control where it costs something.

    What ends alike is told together; the table has the numbers and the controls.
    """
    whole = cut[cut["layers"] == cut["layers"].max()]
    controls = {line["control_of"]: line for _, line in whole.iterrows() if line["control_of"]}
    told: dict[str, list[Line]] = {}
    for _, line in whole[whole["kind"] != CONTROL].iterrows():
        verdict = _verdict(line)
        if verdict in _MEASURED:
            seen, seeing = SEEN[str(line["key"])], SEEING[str(line["query"])]
            beside = _size(controls[line["slot"]]).partition(" [")[0].removesuffix(" points")
            yield (
                f"with {seen} hidden from {seeing} it {_MEASURED[verdict]} {_size(line)} "
                f"({beside} with random keys)"
            )
        else:
            told.setdefault(verdict, []).append(line)
    for verdict, found in told.items():
        names = joined([_hidden(line) for line in found], "or")
        least = max(float(line["delta_smallest"]) for line in found)
        seen = "" if verdict == _NOTHING else f" (more than {100 * least:.1f} points would show)"
        yield f"hiding {names} {verdict}{seen}"


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
        share = percent(float(third.iloc[0]["recovery"])) if len(third) else ""
        beside = f"; {share} {FROM_UNRELATED}" if share and mode == "restore" else ""
        parts.append(f"{estimate(line, 'recovery')} {words} ({place}{beside})")
    if mode == "restore":
        return f"one clean activation put into the corrupt run brings back {', '.join(parts)}"
    return f"one corrupt activation put into the clean run leaves {', '.join(parts)}"


_DISTURBED = "the instrument itself disturbs the model"
_MEASURED = {"harm": "loses", "gain": "gains"}
_NOTHING = "changes nothing at all"


def _verdict(line: "Line") -> str:
    """What a knock-out does to the accuracy: harm, gain, or why neither is said."""
    mean, low, high = (float(line[f"delta{end}"]) for end in ("", "_low", "_high"))
    said = judge(Interval(mean, low, high, int(line["n"])))
    if said in _MEASURED:
        return said
    # A mean of exactly zero nats is one that no answer moved in.
    if line["indirect_effect"] == 0 and line["delta"] == 0:
        return _NOTHING
    if said == "no harm":
        return "changes nothing that we could measure"
    return "may do harm or none: there are too few pairs to tell"


def _size(line: "Line") -> str:
    """How large a change of accuracy is, without its sign, where it is one; nothing otherwise."""
    verdict = _verdict(line)
    if verdict not in _MEASURED:
        return "none" if verdict == _NOTHING else "none measurable"
    low, high = sorted(abs(float(line[f"delta{end}"])) for end in ("_low", "_high"))
    return amount(abs(float(line["delta"])), low, high, "points")


def _could_tell(line: "Line") -> str:
    """The smallest difference between the two runs that so many pairs would show."""
    least = line["total_effect_smallest"]
    return "" if pd.isna(least) else f" (more than {least:.2g} nats would show)"
