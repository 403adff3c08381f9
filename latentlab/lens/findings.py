"""What a lens study found, as tables and in sentences; made of the summary alone.

A lens tells what can be read off a state, not what is made of it, and a share of a logit is no
effect. The sentences say "reads as" and "adds", and never that a model uses something.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from latentlab.console import estimate, percent, signed, table
from latentlab.lens.logit_attribution import TOTAL
from latentlab.lens.rows import FED_IN, LENS
from latentlab.lens.summary import ATTRIBUTION
from latentlab.lens.targets import ANSWER, OTHER_OBJECT, OTHER_OPTION, control_of, hop_name
from latentlab.measures.outcomes import HELD_BACK
from latentlab.measures.statistics import MARGIN
from latentlab.measures.summary import ALL
from latentlab.wording import data_name, joined, paragraph, place_name, sentence

if TYPE_CHECKING:
    Line = pd.Series[float]

SHOWN = 6
"""Layers of a table at most; the summary has all."""

_SOURCES = {
    "latent_text": "latent text",
    "latent_vision": "re-inserted patches",
    "image": "the image",
    "prompt": "the question",
    "rationale": "written steps",
    "answer": "the marker itself",
}


def show_tables(summary: pd.DataFrame) -> None:
    """Put two tables a model on the screen: what is read where, and the parts of the answer."""
    overall = summary[summary["domain"] == ALL]
    for model, lines in overall.groupby("model", sort=False):
        data, n = lines["data"].iloc[0], lines["n"].max()
        readings = lines[lines["measure"].isin([LENS, FED_IN])]
        targets = _columns(readings)
        matrix = _matrix(readings, ["step", "slot", "read"], targets, "top1")
        table(
            matrix.assign(slot=matrix["slot"].map(place_name), n=n),
            {name: name for name in ("step", "slot", "read", *targets)},
            f"{model}: how often the first token is the target's, %; {n} questions of "
            f"{data_name(str(data))}",
            percent=targets,
            keys=3,
        )
        parts = lines[(lines["measure"] == ATTRIBUTION) & lines["layer"].isna()]
        headings = {
            ANSWER: "answer over the rest",
            OTHER_OPTION: "a wrong option over the rest",
        }
        names = [name for name in headings if (parts["target"] == name).any()]
        if names:
            named = parts.assign(part=[_part(line) for _, line in parts.iterrows()])
            named = named.sort_values(["component", "source", "step"], kind="stable")
            # Adding zero turns what was rounded to -0 into 0.
            numbers = ["logit", "logit_low", "logit_high"]
            named[numbers] = named[numbers].round(2) + 0
            table(
                _matrix(named, ["part"], names, "logit"),
                {"part": "part", **{name: headings[name] for name in names}},
                f"{model}: direct logit attribution at the answer, logits, all layers together",
                percent=(),
                changes=names,
            )


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each.

    Args:
        summary: lines of `lens.summary`.
    """
    overall = summary[summary["domain"] == ALL]
    return [
        paragraph(str(model), *_sentences(lines))
        for model, lines in overall.groupby("model", sort=False)
    ]


def held_back(rows: pd.DataFrame) -> list[str]:
    """Which models would mostly have written something else where the answer marker was put.

    Args:
        rows: rows of `lens.rows.rows_of`.
    """
    known = rows[rows["at_once"].notna()].drop_duplicates(["model", "example"])
    share = 1 - known.groupby("model", sort=False)["at_once"].mean()
    return [
        f"in {percent(value)} of its answers {model} would have written something else before "
        "the answer marker, so that what is read there is not what it would have said"
        for model, value in share[share > HELD_BACK].items()
    ]


def _columns(readings: pd.DataFrame) -> list[str]:
    """Targets of the table: the hops and their control, or the answer and its."""
    there = list(dict.fromkeys(readings["target"]))
    hops = [name for name in there if control_of(name) == OTHER_OBJECT]
    wanted = [*hops, OTHER_OBJECT] if hops else [ANSWER, OTHER_OPTION]
    return [name for name in wanted if name in there]


def _matrix(lines: pd.DataFrame, index: list[str], targets: list[str], value: str) -> pd.DataFrame:
    """Lines side by side: one row per place or part, columns for each target and its interval."""
    if "read" in index:
        layers = sorted(lines["layer"].dropna().unique())
        chosen = {layers[i] for i in np.linspace(0, len(layers) - 1, SHOWN).round().astype(int)}
        lines = lines[lines["layer"].isna() | lines["layer"].isin(chosen)]
        reads = [FED_IN if pd.isna(n) else f"after layer {n}" for n in lines["layer"]]
        lines = lines.assign(read=reads)
    wide = lines.drop_duplicates(index)[index]
    for target in targets:
        own = lines.loc[lines["target"] == target, [*index, value, f"{value}_low", f"{value}_high"]]
        ends = {f"{value}{end}": f"{target}{end}" for end in ("", "_low", "_high")}
        wide = wide.merge(own.rename(columns=ends), on=index, how="left")
    if "step" in index:
        fed_first = (wide["read"] != FED_IN).rename("later")
        order = wide.assign(later=fed_first).sort_values(["step", "slot", "later"], kind="stable")
        return order.drop(columns="later")
    return wide


def _part(line: "Line") -> str:
    """A part of the logit, as the table names it."""
    component, source = str(line["component"]), line["source"]
    if isinstance(source, str) and source:
        at = "" if pd.isna(line["step"]) else f", step {line['step']}"
        several = " (all steps)" if source.startswith("latent") and not at else ""
        return f"attention to {_SOURCES.get(source, source)}{at}{several}"
    return {"embed": "its own embedding", "mlp_out": "its MLPs", TOTAL: "all of it"}.get(
        component, component
    )


def _sentences(lines: pd.DataFrame) -> Iterator[str]:
    readings = lines[lines["measure"].isin([LENS, FED_IN])]
    n = int(lines["n"].max())
    fed = readings[(readings["measure"] == FED_IN) & readings["slot"].str.startswith("latent_text")]
    own = [fed[(fed["step"] == t) & (fed["target"] == hop_name(t))] for t in _steps(fed)]
    hops = [line.iloc[0] for line in own if len(line)]
    if hops:
        several = "s" if len(hops) > 1 else ""
        others = fed.loc[fed["target"] == OTHER_OBJECT, "top1"]
        control = f" (another object of the picture: at most {percent(others.max())})"
        yield sentence(
            f"its latent text as fed in at step{several} {joined(_nth(hops))} reads as the object "
            f"of its own hop in {joined([estimate(line, 'top1') for line in hops])} of {n} "
            f"questions{control if len(others) else ''}"
        )
    yield from _reading_of_the_answer(readings, n)
    yield from _attribution(lines[lines["measure"] == ATTRIBUTION])


def _steps(lines: pd.DataFrame) -> list[int]:
    return sorted(int(step) for step in lines["step"].dropna().unique())


def _nth(lines: "list[Line]") -> list[str]:
    return [str(line["step"]) for line in lines]


def _reading_of_the_answer(readings: pd.DataFrame, n: int) -> Iterator[str]:
    """Where the answer can be read best before its marker, and at the marker."""
    lens = readings[(readings["measure"] == LENS) & (readings["target"] == ANSWER)]
    if lens.empty:
        return
    marker = lens[lens["slot"] == "answer"]
    before = lens[lens["slot"] != "answer"].sort_values("top1", kind="stable")
    if len(before):
        best = before.iloc[-1]
        step, rate = int(best["step"]), estimate(best, "top1")
        place = "the last position of the prompt" if step == 0 else f"step {step}"
        other = _control(readings, best)
        against = "" if other is None else f" (another option: {percent(other)})"
        where = _found(best, other or 0.0)
        text = (
            f"before its marker the logit lens reads the answer {where} {place} "
            f"after layer {best['layer']}, in {rate} of {n} questions{against}"
        )
        yield sentence(f"{text}, at the marker in {_last(marker)}" if len(marker) else text)
    elif len(marker):
        text = "at its marker the logit lens reads the answer after the last layer in"
        yield sentence(f"{text} {_last(marker)} of {n} questions")


def _last(lines: pd.DataFrame) -> str:
    """How often the answer is read after the last layer."""
    return estimate(lines.sort_values("layer").iloc[-1], "top1")


def _found(line: "Line", control: float) -> str:
    """Whether the best of many readings is one, or no better than its control.

    The best of many places lies somewhat above its control by chance: it is found where its
    interval lies above by more than the margin of all verdicts, and absent where all of it is
    within.
    """
    if line["top1_low"] > control + MARGIN:
        return "best at"
    if line["top1_high"] < control + MARGIN:
        return "nowhere: the best place is"
    return "perhaps, too uncertain to tell, at"


def _control(readings: pd.DataFrame, line: "Line") -> float | None:
    """How often the control of a line is read at the same place."""
    same = readings[(readings["measure"] == line["measure"]) & (readings["slot"] == line["slot"])]
    same = same[(same["step"] == line["step"]) & (same["layer"] == line["layer"])]
    other = same[same["target"] == OTHER_OPTION]
    return float(other["top1"].iloc[0]) if len(other) else None


def _attribution(lines: pd.DataFrame) -> Iterator[str]:
    """How the answer's lead is made up."""
    whole = lines[lines["layer"].isna() & (lines["target"] == ANSWER)]
    total = whole[whole["component"] == TOTAL]
    if total.empty:
        return

    def logits(line: "Line") -> str:
        exact = "exactly 0"
        return signed(line, "logit", "") if line["logit"] else exact

    summed = whole[whole["step"].isna()]
    shares = []
    for source, name in _SOURCES.items():
        line = summed[summed["source"] == source]
        if len(line) and source != "answer":
            shares.append(f"{name} {logits(line.iloc[0])}")
    mlp = summed[summed["component"] == "mlp_out"].iloc[0]
    yield sentence(
        f"of its answer's lead over the other options, {estimate(total.iloc[0], 'logit', 'logits')}"
        f", attention adds {joined([f'from {share}' for share in shares])}; MLPs, not traced "
        f"further, add {logits(mlp)}"
    )
