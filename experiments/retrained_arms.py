"""The paper's ablation arms, each a system trained its own way.

Study: `answers` (`latentlab.evaluate`), strict accuracy of models left alone. The arms are those of
the paper's Table 2 as its author explains them (issue 4 of the published code): without latent text
is a written chain of thought with re-inserted patches, without latent vision is latent text alone.
What "without the latent part" was is not said; both candidates are here. Retrained arms are never
set beside knock-outs on fixed weights, for which see `knockouts`. The paper finds that removing
either part costs more than removing both, and does not say whether its arms were retrained.
"""

import pandas as pd

from latentlab.errors import UserError
from latentlab.figures import published, studies
from latentlab.figures.artifacts import Table, caption
from latentlab.figures.cells import printed
from latentlab.figures.experiment import Found
from latentlab.figures.lines import number_of_hops, untouched
from latentlab.figures.sentences import told
from latentlab.measures.changes import accuracy_difference
from latentlab.measures.outcomes import NONE
from latentlab.measures.significance import mcnemar
from latentlab.measures.summary import ALL
from latentlab.wording import joined

PART = "main"
STUDIES = (studies.ANSWERS,)

ARMS = {
    "ivtlr": "full",
    "cot_vision": "w/o latent text",
    "coconut": "w/o latent vision",
    "cot": "w/o latent part, in words",
    "no_cot": "w/o latent part, no steps",
}
"""Models, and the paper's names of the arms that they are."""

FULL = "ivtlr"


def make(found: Found) -> Table:
    """The table: a line for each arm."""
    results = found[studies.ANSWERS.name]
    summary = untouched(results.summary)
    summary = summary[(summary[["domain", "topic"]] == ALL).all(axis=1)]
    rows = results.rows[results.rows["intervention"] == NONE]
    most = rows["hops"].max()
    if pd.notna(most):
        rows = rows[rows["hops"] == most]
    answers = rows.pivot(index="example", columns="model", values="correct").astype(bool)
    kinds = sorted(set(summary["hops"]) - {ALL}, key=int, reverse=True) or [ALL]
    lines = []
    for model, arm in ARMS.items():
        if model not in answers:
            continue
        line: dict[str, object] = {"arm": arm, "model": model}
        for kind in kinds:
            group = summary[(summary["model"] == model) & (summary["hops"] == kind)].iloc[0]
            line[f"n hops {kind}"] = group["n"]
            for end in ("", "_low", "_high"):
                line[f"hops {kind}{end}"] = group[f"accuracy{end}"]
        if FULL in answers and model != FULL:
            gap = accuracy_difference(answers[model], answers[FULL])
            line |= {"change": gap.mean, "change_low": gap.low, "change_high": gap.high}
            line["p_mcnemar"] = mcnemar(answers[model], answers[FULL])
        lines.append(line)
    if not lines:
        raise UserError(f"none of the retrained arms is among the results: {', '.join(ARMS)}")
    of_kind = {f"hops {kind}": "all" if kind == ALL else number_of_hops(kind) for kind in kinds}
    columns = {"arm": "arm", "model": "model"}
    columns |= {name: f"{label}\naccuracy (%)" for name, label in of_kind.items()}
    hardest = "" if kinds == [ALL] else f", {number_of_hops(kinds[0])}"
    columns |= {"change": f"change from full\n(points{hardest})", "p_mcnemar": "p (McNemar)"}
    data = pd.DataFrame(lines, columns=_needed(columns, lines))
    lacking = [model for model in ARMS if model not in answers]
    drawn = (
        "Retrained arms, not knock-outs: each is trained from the same base on the same data. "
        f"Strict accuracy on {results.run['config']['data']} with 95 % Wilson intervals, n = "
        f"{' and '.join(_sizes(data, kinds))}; changes are paired by question, with 95 % "
        "intervals and McNemar's exact p, uncorrected. "
        + (f"Not among the results: {', '.join(lacking)}. " if lacking else "")
        + "Published: IVT-LR, Table 2, Qwen2-VL-7B."
    )
    cells = printed(data, columns, percent=(*of_kind, "change"), changes=("change",))
    return Table(cells, data, caption(_finding(data, kinds), drawn), published.ARMS)


def _finding(data: pd.DataFrame, kinds: list[str]) -> str:
    """What arms answer more or less than the full method, and which do not differ from it."""
    if "change" not in data or data["change"].isna().all():
        return "Of the retrained arms, 0 can be compared with the full method."
    arms = data[data["change"].notna()]
    apart = (arms["change_low"] > 0) | (arms["change_high"] < 0)
    of = "" if kinds == [ALL] else f" on {number_of_hops(kinds[0])}"
    parts = [
        f"{line['model']} by {told(line, 'change', 'points', signed=True)}"
        for _, line in arms[apart].iterrows()
    ]
    finding = f"Retrained arms differ from the full method{of}: {joined(parts)}" if parts else ""
    same = joined(list(arms.loc[~apart, "model"]))
    if not same:
        return f"{finding}."
    told_same = f"no difference could be measured for {same}"
    return f"{finding}; {told_same}." if finding else f"{told_same[0].upper()}{told_same[1:]}{of}."


def _needed(columns: dict[str, str], lines: list[dict[str, object]]) -> list[str]:
    """Columns of the numbers, those of the table even where no line has them."""
    return list(dict.fromkeys([*columns, *(name for line in lines for name in line)]))


def _sizes(data: pd.DataFrame, kinds: list[str]) -> list[str]:
    """How many questions of each kind there are."""
    if data.empty:
        return ["0"]
    counts = {kind: data[f"n hops {kind}"].iloc[0] for kind in kinds}
    return [
        f"{n}" if kind == ALL else f"{n} ({number_of_hops(kind)})" for kind, n in counts.items()
    ]
