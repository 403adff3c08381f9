"""What probes, exchanges, mediation and attention answer, for `answers`."""

from collections.abc import Mapping, Sequence

import pandas as pd

from latentlab.attention.summary import AFTER, is_control
from latentlab.attention.tables import R_IMAGE, measured, whole
from latentlab.figures import studies
from latentlab.measures.summary import ALL
from latentlab.mediation.summary import EFFECT
from latentlab.probe.findings import FED
from latentlab.report.cast import results_of
from latentlab.report.wording import interval, number, share
from latentlab.study.results import Results
from latentlab.wording import joined

Found = Mapping[str, Results]
Told = tuple[str, list[dict[str, str]]]

HIDDEN = "mask_needed"
"""The perturbation whose effect is shared out: a cell of the walk is hidden in the picture."""


def held(found: Found, models: Sequence[str]) -> Told:
    """How often a probe reads the object of its own hop off the latent of a step."""
    if not (results := results_of(found, studies.PROBES)):
        return "", []
    rows, told = [], []
    for model, lines in results.summary.groupby("model", sort=False):
        probes = lines[lines["kind"] == "probe"]
        place = next((place for place in FED if (probes["place"] == place).any()), "")
        probes = probes[probes["place"] == place]
        own = probes[probes["target"] == "object " + probes["step"].astype("string")]
        known = own if len(own) else probes[probes["step"] == probes["step"].max()].head(1)
        if known.empty:
            continue
        row = {"model": str(model), "read off": place.replace("_", " ")}
        row |= {f"step {line['step']} %": _pc(line) for _, line in known.iterrows()}
        row["shuffled labels %"] = number(100 * float(known["control"].max()))
        rows.append(row)
        if model in models:
            rates = joined([share(line, "value") for _, line in known.iterrows()])
            what = "the object of its own hop" if len(own) else str(known["target"].iloc[0])
            told.append(
                f"Probes read {what} off {model}’s latents in {rates} of "
                f"{known['n'].iloc[0]:,} questions, step by step; with shuffled labels in at most "
                f"{row['shuffled labels %']} %"
            )
    return (f"{'; '.join(told)}. What can be read need not be used." if told else ""), rows


def flow(found: Found, models: Sequence[str]) -> Told:
    """Whose answer is given on exchanged latents, and what of an effect runs through them."""
    donors = _exchanges(found)
    shares = _mediated(found)
    rows, told = [], []
    for model in dict.fromkeys([*donors, *shares]):
        row = {"model": model}
        clauses = []
        if (line := donors.get(model)) is not None:
            row |= {
                "gives the donor’s answer %": interval(line, "follows_donor", 100),
                "keeps its own %": interval(line, "keeps_own", 100),
            }
            clauses.append(
                f"on latents of the same picture asked from another start, {model} gives that "
                f"question’s answer in {share(line, 'follows_donor')} of cases"
            )
        if (line := shares.get(model)) is not None:
            row["of a hidden cell’s effect, through latents %"] = interval(line, "nie_share", 100)
            if line["nie_share"] == line["nie_share"]:
                clauses.append(
                    f"{share(line, 'nie_share')} of what a hidden cell of the walk does to the "
                    f"answer of {model} runs through its latents"
                )
        rows.append(row)
        if model in models:
            told += clauses
    text = "; ".join(told)
    return (f"{text[0].upper()}{text[1:]}." if text else ""), rows


def attention(found: Found, models: Sequence[str]) -> Told:
    """How much more is attended to the image than to text, beside what is indifferent."""
    if not (results := results_of(found, studies.ATTENTION)):
        return "", []
    summary = results.summary
    steps = whole(summary[summary["query"] != AFTER])
    rows, told = [], []
    for (model, mode), lines in steps.groupby(["model", "mode"], sort=False):
        ratios = measured(lines, *R_IMAGE)
        ratios = ratios[(ratios["layers"] == ALL) & (ratios["heads"] == ALL)]
        if is_control(str(mode)) or ratios.empty:
            continue
        last = ratios.iloc[-1]
        rows.append(
            {"model": str(model), "reasons in": str(mode)}
            | {f"step {line['step']}": interval(line, "value") for _, line in ratios.iterrows()}
            | {"uniform, last step": number(float(last["null"]))}
        )
        if model in models:
            told.append(
                f"at step {last['step']} {model} attends {interval(last, 'value')} times as much "
                f"to the image as to text, where uniform attention gives "
                f"{number(float(last['null']))}"
            )
    text = "; ".join(told)
    return (
        f"{text[0].upper()}{text[1:]}. It tells where a model looks, not what it uses."
        if text
        else ""
    ), rows


def _exchanges(found: Found) -> "dict[str, pd.Series[float]]":
    """Of each model the widest exchange with the same picture asked from another start."""
    if not (results := results_of(found, studies.INTERCHANGES)):
        return {}
    lines = results.summary
    lines = lines[(lines["domain"] == ALL) & (lines["donor"] == "same_image")]
    return {str(model): mine.iloc[-1] for model, mine in lines.groupby("model", sort=False)}


def _mediated(found: Found) -> "dict[str, pd.Series[float]]":
    """Of each model the share of the effect of a hidden cell that runs through all its latents."""
    if not (results := results_of(found, studies.MEDIATION)):
        return {}
    lines = results.summary
    lines = lines[(lines["domain"] == ALL) & (lines["measure"] == EFFECT)]
    lines = lines[(lines["perturbation"] == HIDDEN) & (lines["outcome"] == "log_odds")]
    lines = lines[lines["nie_share"].notna()]
    lines = lines.sort_values("hop", key=lambda hop: hop.map(_place), kind="stable")
    return {str(model): mine.iloc[0] for model, mine in lines.groupby("model", sort=False)}


def _place(hop: object) -> int:
    """Hops in between tell most: all latents that the walk needs lie on either side of them."""
    return _NAMED.index(str(hop)) if str(hop) in _NAMED else len(_NAMED)


def _pc(line: "pd.Series[float]") -> str:
    """A fraction in per cent."""
    return interval(line, "value", 100)


_NAMED = ("between", "last", "first")
