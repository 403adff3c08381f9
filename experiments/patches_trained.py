"""Models trained with different numbers of re-inserted patches.

No study: held-out accuracy at the end of each training, read off its log. k=0 is `coconut` and k=2
`ivtlr`; the logs of trainings that differ from `ivtlr` in k alone are `data/ivtlr_kN.jsonl`. Here,
unlike in `patches`, every model was trained with the k it is measured at. The paper's Figure 4
(k from 8 to 32 of 100 patches) reports a steady rise.
"""

import re
from pathlib import Path

import pandas as pd

from latentlab.checkpoint import ZOO
from latentlab.figures import trained
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.experiment import Found, Study
from latentlab.figures.marks import draw_intervals
from latentlab.figures.sentences import told
from latentlab.figures.style import canvas, look
from latentlab.measures.summary import ALL
from latentlab.training.metrics import METRICS_FILE

PART = "appendix"
STUDIES: tuple[Study, ...] = ()

DATA = Path(__file__).parent / "data"

EMBEDDED = {0: "coconut", 2: "ivtlr"}
"""Embedded models by their number of patches."""


def make(found: Found) -> Drawing:
    """The figure: a line for each domain, and one for all."""
    logs = {k: ZOO / name / METRICS_FILE for k, name in EMBEDDED.items()}
    for path in sorted(DATA.glob("ivtlr_k*.jsonl")):
        if match := re.fullmatch(r"ivtlr_k(\d+)", path.stem):
            logs[int(match[1])] = path
    data = pd.concat([_end(k, path) for k, path in sorted(logs.items()) if path.is_file()])
    figure, (axis,) = canvas("single", 2.3)
    domains = [ALL, *sorted(set(data["domain"]) - {ALL})]
    for i, domain in enumerate(domains):
        curve = data[data["domain"] == domain]
        places = curve["k"] + 0.06 * (i - (len(domains) - 1) / 2)
        draw_intervals(axis, places, curve, "accuracy", 100, **look(i), label=domain)
    axis.set(xlabel="patches a step (k) in training and test", ylabel="accuracy (%)")
    axis.set_xticks(sorted(set(data["k"])))
    axis.set_ylim(top=103)
    figure.legend(loc="outside upper center", ncols=len(domains))
    ends = data[data["domain"] == ALL].reset_index(drop=True)
    hops = f" of {ends['hops'].iloc[0]} hops" if ends["hops"].iloc[0] != ALL else ""
    updates = ", ".join(f"{k}: {u:,}" for k, u in zip(ends["k"], ends["updates"], strict=True))
    text = (
        "Retrained arms, not knock-outs: trained alike but for k, and measured at it, on "
        f"{ends['n'].min()} held-out questions{hops} (at least {data['n'].min()} a domain). k=0 "
        f"feeds back hidden states alone. Updates by k: {updates}. One training a point; 95 % "
        "Wilson intervals leave out the spread over seeds. Published: "
        "IVT-LR, Figure 4."
    )
    best, least = (ends.loc[getattr(ends["accuracy"], which)()] for which in ("idxmax", "idxmin"))
    finding = (
        f"Retrained with {ends['k'].min()} to {ends['k'].max()} patches a step, models answer "
        f"{told(least, 'accuracy')} (k={least['k']}) to {told(best, 'accuracy')} (k={best['k']})."
    )
    return Drawing(figure, data.reset_index(drop=True), caption(finding, text))


def _end(k: int, log: Path) -> pd.DataFrame:
    """Accuracy after the last stage of a training, by domain and over all of them."""
    lines = trained.held_out(log)
    lines = trained.hardest(lines[lines["stage"] == lines["stage"].iloc[-1]])
    everything = lines.iloc[0].to_dict() | {"domain": ALL} | trained.pooled(lines)
    return pd.concat([pd.DataFrame([everything]), lines]).assign(k=k)
