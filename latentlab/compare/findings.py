"""What ways to answer buy at what cost, as tables and in sentences."""

from typing import Any

import pandas as pd

from latentlab.compare.claims import HOLDS, NOT, UNTOLD, of_hardest
from latentlab.compare.pairs import BASES, both_ways
from latentlab.compare.rows import WAY
from latentlab.compare.summary import hops_of, totals
from latentlab.compare.ways import called
from latentlab.console import amount, estimate, table
from latentlab.measures.summary import ALL
from latentlab.wording import data_name, joined

SPARE = (
    "calls", "pictures", "likelihood", "format_failures", "forward_tokens", "accuracy 1",
    "milliseconds",
)  # fmt: skip
"""Columns that a narrow screen does without, the first to go first."""


def show_ways(summary: pd.DataFrame) -> None:
    """Put one line a way on the screen: accuracy by number of hops, and the costs."""
    lines = totals(summary).reset_index(drop=True)
    counts = hops_of(summary)
    headings = {WAY: "way"}
    for hops in counts:
        of_hops = totals(summary, hops).set_index(WAY).loc[lines[WAY]]
        for end in ("", "_low", "_high"):
            lines[f"accuracy {hops}{end}"] = of_hops[f"accuracy{end}"].to_numpy()
        headings[f"accuracy {hops}"] = "right %" if hops == ALL else f"{_hops(hops)} %"
    for end in ("", "_low", "_high"):
        lines[f"milliseconds{end}"] = 1000 * lines[f"seconds{end}"]
    lines = lines.assign(**{WAY: lines[WAY].map(called)})
    headings |= {
        "likelihood": "by likelihood, all %",
        "autoregressive_steps": "steps",
        "forward_tokens": "tokens read",
        "pictures": "pictures",
        "calls": "calls",
        "format_failures": "failures of format",
        "milliseconds": "ms",
    }
    data = data_name(str(lines["data"].iloc[0]))
    percent = [f"accuracy {hops}" for hops in counts] + ["likelihood"]
    title = f"ways to answer {data}, n = {lines['n'].max()} each; 95 % intervals"
    bare = lines.drop(columns=[f"{c}{e}" for c in _BARE for e in ("_low", "_high")])
    table(bare, headings, title, percent=percent, spare=SPARE)


_BARE = ("autoregressive_steps", "forward_tokens", "pictures", "calls", "format_failures")
"""Costs whose intervals are in the summary alone: they hardly vary."""


def show_pairs(pairs: pd.DataFrame) -> None:
    """Put the differences to the three bases on the screen, of the questions with most hops."""
    if pairs.empty:
        return
    hops = hops_of(pairs)[0]
    chosen = pairs[(pairs["domain"] == ALL) & (pairs["hops"] == hops)]
    lines = both_ways(chosen)
    shown = pd.DataFrame({WAY: list(dict.fromkeys([*pairs["base"], *pairs["way"]]))})
    headings, changes = {WAY: "way"}, []
    for base in [base for base in BASES if base in set(lines["base"])]:
        of_base = lines[lines["base"] == base].set_index("way").reindex(shown[WAY])
        for end in ("", "_low", "_high"):
            shown[f"over {base}{end}"] = of_base[f"delta{end}"].to_numpy()
        shown[f"p_{base}"] = of_base["p_holm"].to_numpy()
        headings |= {f"over {base}": f"less {called(base)}", f"p_{base}": "p"}
        changes.append(f"over {base}")
    shown = shown.assign(**{WAY: shown[WAY].map(called)})
    of = "all questions" if hops == ALL else f"questions with {_hops(hops)}"
    title = (
        f"points by which a way is right more often, {of}, n = {chosen['n'].iloc[0]}; 95 % "
        f"intervals; p: McNemar, adjusted for {chosen['family'].iloc[0]} tests (Holm)"
    )
    spare = [name for name in headings if name.startswith("p_")]
    table(shown, headings, title, changes, changes, spare=spare, source="pairs.csv")


def show_claims(claims: pd.DataFrame) -> None:
    """Put every claim on the screen, of the questions with most hops."""
    if claims.empty:
        return
    lines = of_hardest(claims)
    shown = pd.DataFrame(
        {
            "claim": lines["way"].map(called) + ": " + lines["claim"],
            "against": lines["against"].map(called),
            "found": [told(line) for _, line in lines.iterrows()],
            "n": [
                f"{n} rounds" if of == "seconds" else str(n)
                for n, of in zip(lines["n"], lines["measured"], strict=True)
            ],
            "verdict": lines["verdict"],
        }
    )
    shown["claim"] = shown["claim"].where(shown["claim"] != shown["claim"].shift(), "")
    columns = {str(name): str(name) for name in shown}
    hops = hops_of(lines)[0]
    of = "all questions" if hops == ALL else f"questions with {_hops(hops)}; time: all questions"
    title = f"what papers claim, on these models and {of}"
    table(shown, columns, title, spare=("n",), keys=2, source="claims.csv")


def told(line: "pd.Series[Any]") -> str:
    """What was found to a claim, in its unit: times, or points."""
    low, centre, high = (float(str(line[f"estimate{end}"])) for end in ("_low", "", "_high"))
    if centre != centre:
        return "not measured"
    if line["measured"] == "accuracy":
        return amount(centre, low, high, "points", sign=True)
    return f"{centre:.1f} times [{low:.1f}, {high:.1f}]"


def conclusion(summary: pd.DataFrame, claims: pd.DataFrame) -> list[str]:
    """What was found: who answers most at what cost, and which claims hold."""
    hops = hops_of(summary)[0]
    lines = totals(summary, hops).reset_index(drop=True)
    best, worst = (lines.loc[getattr(lines["accuracy"], f)()] for f in ("idxmax", "idxmin"))
    of = "all questions" if hops == ALL else f"questions with {_hops(hops)}"
    said = [
        f"Of {of}, {called(str(best[WAY]))} answers most, {estimate(best, 'accuracy')} in "
        f"{best['autoregressive_steps']:.1f} autoregressive steps, and {called(str(worst[WAY]))} "
        f"least, {estimate(worst, 'accuracy')} in {worst['autoregressive_steps']:.1f} "
        f"(n = {best['n']})."
    ]
    if len(lines) == 1:
        said = [f"{called(str(best[WAY]))} answers {estimate(best, 'accuracy')} of {of}."]
    return said + ([_verdicts(of_hardest(claims))] if len(claims) else [])


def _verdicts(lines: pd.DataFrame) -> str:
    """How many of the claims hold, and which do not."""
    counts = lines["verdict"].value_counts()
    said = f"Of {len(lines)} claims of papers, {counts.get(HOLDS, 0)} hold here"
    said += f", {counts.get(NOT, 0)} do not and {counts.get(UNTOLD, 0)} cannot be told"
    named = [
        f"{name} (against {joined([called(way) for way in of['against']])})"
        for name, of in lines[lines["verdict"] == NOT].groupby("claim", sort=False)
    ]
    return f"{said}. Not: {'; '.join(named)}." if named else f"{said}."


def _hops(hops: str) -> str:
    return f"{hops} hop{'' if hops == '1' else 's'}"
