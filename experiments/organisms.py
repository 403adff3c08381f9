"""The embedded models: what they answer and what their training cost.

Study: `answers` (`latentlab.evaluate`), strict accuracy without any intervention, on the questions
with most hops by domain and on those of one hop. Updates and CPU time come from the log that lies
beside each model, after the base model that all of them start from.
"""

import pandas as pd

from latentlab.figures import studies, trained
from latentlab.figures.artifacts import Table
from latentlab.figures.cells import printed
from latentlab.figures.experiment import Found
from latentlab.figures.lines import names, number_of_hops, untouched
from latentlab.measures.summary import ALL
from latentlab.training.metrics import METRICS_FILE

STUDIES = (studies.ANSWERS,)


def make(found: Found) -> Table:
    """The table: a line for each model."""
    results = found[studies.ANSWERS.name]
    summary = untouched(results.summary)
    summary = summary[summary["topic"] == ALL]
    counts = sorted(set(summary["hops"]) - {ALL}, key=int, reverse=True)
    most = counts[0] if counts else ALL
    groups = {(ALL, most): number_of_hops(most) if counts else "all"}
    domains = names(summary.loc[summary["domain"] != ALL, "domain"].dropna().sort_values())
    groups |= {(domain, most): domain for domain in domains}
    groups |= {(ALL, hops): number_of_hops(hops) for hops in counts[1:]}
    folders = trained.folders(results)
    lines = []
    for model, of_model in summary.groupby("model", sort=False):
        line: dict[str, object] = {"model": model}
        for (domain, hops), label in groups.items():
            group = of_model[(of_model["domain"] == domain) & (of_model["hops"] == hops)].iloc[0]
            for end in ("", "_low", "_high"):
                line[f"{label}{end}"] = group[f"accuracy{end}"]
            line[f"n {label}"] = group["n"]
        log = trained.held_out(folders[str(model)] / METRICS_FILE)
        line["updates"] = None if log.empty else int(log["updates"].max())
        line["CPU minutes"] = None if log.empty else round(float(log["cpu_minutes"].max()), 1)
        lines.append(line)
    data = pd.DataFrame(lines).astype({"updates": "Int64", "CPU minutes": float})
    labels = tuple(groups.values())
    columns = {name: name for name in ("model", *labels, "updates", "CPU minutes")}
    sizes = ", ".join(f"{data[f'n {label}'].iloc[0]} ({label})" for label in labels)
    caption = (
        f"Strict accuracy in % with 95 % Wilson intervals on {summary['data'].iloc[0]}; domains "
        f"are shown on {'the questions with most hops' if counts else 'all questions'}. Questions "
        f"for each model: {sizes}. Updates and CPU minutes are those after the shared base model. "
        "Models left alone; each was trained its own way."
    )
    return Table(printed(data, columns, labels), data, caption)
