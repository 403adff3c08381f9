"""The paper's ablation arms, each a system trained its own way.

Study: `answers` (`latentlab.evaluate`), strict accuracy of models left alone. The arms are those of
the paper's Table 2 as its author explains them (issue 4 of the published code): without latent text
is a written chain of thought with re-inserted patches, without latent vision is latent text alone.
What "without the latent part" was is not said; both candidates are here. Retrained arms are never
set beside knock-outs on fixed weights, for which see `knockouts`.
"""

import pandas as pd

from latentlab.figures import published, studies
from latentlab.figures.artifacts import Table
from latentlab.figures.cells import printed
from latentlab.figures.experiment import Found
from latentlab.figures.lines import number_of_hops, untouched
from latentlab.measures.outcomes import NONE
from latentlab.measures.significance import mcnemar
from latentlab.measures.statistics import paired_difference
from latentlab.measures.summary import ALL

STUDIES = (studies.ANSWERS,)

ARMS = {
    "ivtlr": "full",
    "cot_vision": "w/o latent text: written steps, latent vision",
    "coconut": "w/o latent vision: latent text only",
    "cot": "w/o latent part: written steps",
    "no_cot": "w/o latent part: no steps",
}
"""Models, and the paper's names of the arms that they are."""

FULL = "ivtlr"


def make(found: Found) -> Table:
    """The table: a line for each arm."""
    results = found[studies.ANSWERS.name]
    summary = untouched(results.summary)
    summary = summary[(summary[["domain", "topic"]] == ALL).all(axis=1)]
    rows = results.rows[results.rows["intervention"] == NONE]
    hardest = rows["hops"].max()
    if pd.notna(hardest):
        rows = rows[rows["hops"] == hardest]
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
            gap = paired_difference(answers[model], answers[FULL])
            line |= {"gap": gap.mean, "gap_low": gap.low, "gap_high": gap.high}
            line["p_mcnemar"] = mcnemar(answers[model], answers[FULL])
        lines.append(line)
    columns = {"arm": "arm", "model": "model"}
    columns |= {f"hops {kind}": "all" if kind == ALL else number_of_hops(kind) for kind in kinds}
    of_hardest = f" on {columns[f'hops {kinds[0]}']}" if kinds != [ALL] else ""
    columns |= {"gap": f"points above full{of_hardest}", "p_mcnemar": "p (McNemar)"}
    columns = {name: f"{label} %" if "hops" in name else label for name, label in columns.items()}
    data = pd.DataFrame(lines, columns=_needed(columns, lines))
    percent = tuple(name for name in columns if name.startswith(("hops", "gap")))
    lacking = [model for model in ARMS if model not in answers]
    sizes = " and ".join(_sizes(data, kinds))
    caption = (
        "Retrained arms, not knock-outs: each line is a model trained from the same base on the "
        f"same data. Strict accuracy on {results.run['config']['data']} with 95 % Wilson "
        f"intervals, n = {sizes}; differences to the full method are paired by question, with "
        "95 % bootstrap intervals and McNemar's exact p, uncorrected. "
        + (f"Not among the results: {', '.join(lacking)}. " if lacking else "")
        + "Published (IVT-LR, Table 2, Qwen2-VL-7B): removing either part costs more than removing "
        "both, and whether its arms were retrained is not stated."
    )
    return Table(printed(data, columns, percent), data, caption, published.ARMS)


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
