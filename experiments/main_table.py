"""Accuracy, autoregressive steps and cost of training of every way to answer.

Study: `answers` (`latentlab.evaluate`), every embedded model on benchmark questions of one and of
four hops. Models write freely, as they were trained to; nothing is intervened on. Accuracy is the
strict reading, never pooled over numbers of hops: a model that cannot reason may answer all of one
hop and none of four. Updates and CPU time come from the log that lies beside each model, after the
base model that all of them start from. The paper's Table 1 (Qwen2-VL-7B on M3CoT and ScienceQA)
stands in a block of its own: its model and its data are others.
"""

import pandas as pd

from latentlab.figures import published, studies, trained
from latentlab.figures.artifacts import Table, caption
from latentlab.figures.cells import printed
from latentlab.figures.experiment import Found
from latentlab.figures.lines import names, number_of_hops, untouched
from latentlab.figures.sentences import told
from latentlab.measures.summary import ALL
from latentlab.study.results import Results
from latentlab.training.metrics import METRICS_FILE

PART = "main"
STUDIES = (studies.ANSWERS,)


def make(found: Found) -> Table:
    """The table: a line for each model, a column for each kind of question."""
    results = found[studies.ANSWERS.name]
    summary = untouched(results.summary)
    summary = summary[summary["topic"] == ALL]
    counts = sorted(set(summary["hops"].dropna()) - {ALL}, key=int) or [ALL]
    domains = names(summary.loc[summary["domain"] != ALL, "domain"].dropna().sort_values())
    groups = {f"hops {hops}": (ALL, hops) for hops in counts}
    groups |= {f"domain {domain}": (domain, counts[-1]) for domain in domains if domain}
    data = pd.DataFrame(_lines(results, summary, groups))
    data = data.astype({"updates": "Int64", "CPU minutes": float})
    data = data.sort_values("steps", kind="stable").reset_index(drop=True)
    cells = printed(
        data,
        {"model": "model"}
        | {name: _heading(*of) for name, of in groups.items()}
        | {"steps": "steps", "updates": "updates", "CPU minutes": "CPU\nminutes"},
        percent=tuple(groups),
        decimals={"steps": 1, "CPU minutes": 1},
        bare=(*(name for name in groups if name.startswith("domain")), "steps"),
    )
    sizes = [f"n {name}" for name in groups if name.startswith("hops")]
    n = sorted({int(n) for name in sizes for n in data[name]})
    least = min((int(data[f"n {name}"].min()) for name in groups), default=0)
    drawn = (
        "Strict accuracy in % of models left alone, each trained its own way, on "
        f"{summary['data'].iloc[0]}: n = {' and '.join(map(str, n))}, with 95 % Wilson intervals; "
        f"domains, of the questions with most hops, have n ≥ {least} and intervals in the CSV "
        "file. Steps: mean latent steps and tokens an answer. Updates and CPU minutes come after "
        "the shared base model. Published: IVT-LR, Table 1, Qwen2-VL-7B."
    )
    return Table(cells, data, caption(_finding(data, counts), drawn), published.MAIN)


def _lines(
    results: Results, summary: pd.DataFrame, groups: dict[str, tuple[str, str]]
) -> list[dict[str, object]]:
    """One line for each model: its accuracies, its steps and its training."""
    folders = trained.folders(results)
    lines = []
    for model, of_model in summary.groupby("model", sort=False):
        line: dict[str, object] = {"model": model}
        for name, (domain, hops) in groups.items():
            chosen = (of_model["domain"] == domain) & (of_model["hops"] == hops)
            group = of_model[chosen].iloc[0]
            line |= {f"{name}{end}": group[f"accuracy{end}"] for end in ("", "_low", "_high")}
            line[f"n {name}"] = group["n"]
        whole = of_model[(of_model["domain"] == ALL) & (of_model["hops"] == ALL)].iloc[0]
        steps = "autoregressive_steps"
        line |= {f"steps{end}": whole[f"{steps}{end}"] for end in ("", "_low", "_high")}
        log = trained.held_out(folders[str(model)] / METRICS_FILE)
        line["updates"] = None if log.empty else int(log["updates"].max())
        line["CPU minutes"] = None if log.empty else float(log["cpu_minutes"].max())
        lines.append(line)
    return lines


def _finding(data: pd.DataFrame, counts: list[str]) -> str:
    """Who answers most and least of the hardest questions, and what that says of the easiest."""
    hardest, easiest = f"hops {counts[-1]}", f"hops {counts[0]}"
    of = "all" if counts == [ALL] else number_of_hops(counts[-1])
    best, worst = (data.loc[getattr(data[hardest], which)()] for which in ("idxmax", "idxmin"))
    finding = f"Of {of}, {best['model']} answers most, {told(best, hardest)}"
    if worst["model"] != best["model"]:
        finding += f", and {worst['model']} least, {told(worst, hardest)}"
    if len(counts) > 1:
        finding += f"; of {number_of_hops(counts[0])} they answer {told(best, easiest)}"
        finding += f" and {told(worst, easiest)}" if worst["model"] != best["model"] else ""
    return f"{finding}."


def _heading(domain: str, hops: str) -> str:
    if domain != ALL:
        return domain if hops == ALL else f"{domain}\n{number_of_hops(hops)}"
    return "accuracy" if hops == ALL else number_of_hops(hops)
