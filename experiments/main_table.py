"""Accuracy, autoregressive steps and time of every way to answer.

Study: `answers` (`latentlab.evaluate`), every embedded model on benchmark questions of one and of
four hops. Models write freely, as they were trained to; nothing is intervened on. Accuracy is the
strict reading. The paper's Table 1 (Qwen2-VL-7B on M3CoT and ScienceQA) stands in a block of its
own: its model and its data are others.
"""

import pandas as pd

from latentlab.figures import published, studies
from latentlab.figures.artifacts import Table
from latentlab.figures.cells import printed
from latentlab.figures.experiment import Found
from latentlab.figures.lines import METHODS, STRICT, divided, names, number_of_hops, untouched
from latentlab.measures.summary import ALL

STUDIES = (studies.ANSWERS,)


def make(found: Found) -> Table:
    """The table: a line for each model, a column for each kind of question."""
    results = found[studies.ANSWERS.name]
    summary = untouched(results.summary)
    total = summary[(summary[["domain", "topic", "hops"]] == ALL).all(axis=1)]
    total = total.set_index("model").sort_values("autoregressive_steps", kind="stable")
    data = total[["n", *_with_ends("accuracy")]].copy()
    columns = {"model": "method", "accuracy": _heading("all", total["n"])}
    for division, label in (("hops", number_of_hops), ("domain", str)):
        lines = divided(summary, division).set_index("model")
        for kind in names(lines[division].sort_values()):
            group = lines[lines[division] == kind]
            data[_with_ends(f"{division} {kind}")] = group[_with_ends("accuracy")]
            data[f"n {division} {kind}"] = group["n"].astype("Int64")
            columns[f"{division} {kind}"] = _heading(label(kind), group["n"])
    data[_with_ends("steps")] = total[_with_ends("autoregressive_steps")]
    data[_with_ends("ms")] = 1000 * total[_with_ends("seconds")]
    columns |= {"steps": "autoregressive steps", "ms": "ms an answer"}
    data = data.reset_index()
    percent = tuple(name for name in columns if name not in ("model", "steps", "ms"))
    told = "; ".join(f"{name} {METHODS[name]}" for name in data["model"] if name in METHODS)
    size, machine = results.run["config"]["batch_size"], results.run["platform"]
    caption = (
        f"Accuracy in % by the strict reading on {total['data'].iloc[0]}, by number of hops and by "
        "domain, with 95 % Wilson intervals; autoregressive steps (latent steps and tokens) and "
        "time, means over answers with 95 % bootstrap intervals. n is the same for all methods. "
        f"{STRICT} "
        f"Time is measured in batches of {size} ({machine['cpus']} CPUs, {machine['machine']}): "
        f"it compares methods here and nowhere else. Each method is a model trained its own way: "
        f"{told}. Published numbers (IVT-LR, Table 1; Qwen2-VL-7B) are of another model and other "
        "data, and its rows without latents look like those of untuned models."
    )
    return Table(printed(data, columns, percent), data, caption, published.MAIN)


def _with_ends(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def _heading(kind: str, n: "pd.Series[int]") -> str:
    sizes = sorted(set(n))
    return f"{kind} (n={sizes[0]})" if len(sizes) == 1 else kind
