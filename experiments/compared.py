"""Every way to answer on equal terms: accuracy, spread over trainings, and what an answer costs.

Study: `compared` (`latentlab.compare`), the embedded twins, trained from one start on the same
questions with the same number of updates, each asked the same questions in its own way. Further
trainings of each are in `data/compared_seeds.parquet` and stand in a column of their own. The
paper's Table 1 (Qwen2-VL-7B) stands in a block of its own: its model and its data are others.
"""

import pandas as pd

from latentlab.compare.claims import ratio_of_times
from latentlab.compare.summary import hops_of, totals
from latentlab.compare.ways import called
from latentlab.console import MISSING, typeset
from latentlab.evaluate.summary import TIMES
from latentlab.figures import published, studies
from latentlab.figures.artifacts import Table, caption
from latentlab.figures.cells import printed
from latentlab.figures.compared import over_seeds
from latentlab.figures.experiment import Found
from latentlab.figures.lines import names, number_of_hops
from latentlab.figures.sentences import told
from latentlab.measures.summary import ALL
from latentlab.study.results import Results

PART = "main"
STUDIES = (studies.COMPARED,)


def make(found: Found) -> Table:
    """The table: a line for each way, a column for each kind of question and of cost."""
    results = found[studies.COMPARED.name]
    summary = results.summary[results.summary["topic"] == ALL]
    counts = hops_of(summary)
    named = summary.loc[summary["domain"] != ALL, "domain"].dropna().sort_values()
    groups = {f"hops {hops}": (ALL, hops) for hops in counts[::-1]}
    groups |= {f"domain {domain}": (domain, counts[0]) for domain in names(named) if domain}
    data = pd.DataFrame(_lines(results, summary, groups))
    hardest = f"hops {counts[0]}"
    cells = printed(
        data.assign(way=data["way"].map(called)),
        {"way": "way"}
        | {name: _heading(*of) for name, of in groups.items()}
        | {"steps": "steps", "tokens": "tokens\nread", "time": "time"},
        percent=tuple(groups),
        decimals={"steps": 1, "tokens": 1, "time": 2},
        bare=(*(name for name in groups if name != hardest), "steps", "tokens", "time"),
    )
    place = list(cells.columns).index(_heading(*groups[hardest])) + 1
    cells.insert(place, "trainings", [_spread(line) for _, line in data.iterrows()])
    base = data["time of"].iloc[0]
    n = sorted({int(data[f"n {name}"].min()) for name in groups if name.startswith("hops")})
    drawn = (
        f"Strict accuracy in % on {summary['data'].iloc[0]}, n = {' and '.join(map(str, n))}: "
        "95 % Wilson intervals over questions (the rest in the CSV file), domains of most hops. "
        "Trainings: lowest to highest of several seeds (how many), never pooled. Steps, tokens "
        f"read: means of most hops. Time: CPU, that of {called(base)} is 1. Published: IVT-LR, "
        "Table 1, Qwen2-VL-7B."
    )
    return Table(cells, data, caption(_finding(data, counts[0]), drawn), published.COMPARED)


def _lines(
    results: Results, summary: pd.DataFrame, groups: dict[str, tuple[str, str]]
) -> list[dict[str, object]]:
    """One line for each way: its accuracies, the spread over trainings, and its costs."""
    first = results.rows.drop_duplicates("way").set_index("way")
    times = first[TIMES].to_dict() if TIMES in first else {}
    base = "cot" if "cot" in first.index else str(first.index[0])
    seeds = over_seeds(hops_of(summary)[0])
    lines = []
    for way, of_way in summary.groupby("way", sort=False):
        line: dict[str, object] = {"way": way}
        for name, (domain, hops) in groups.items():
            group = of_way[(of_way["domain"] == domain) & (of_way["hops"] == hops)].iloc[0]
            line |= {f"{name}{end}": group[f"accuracy{end}"] for end in ("", "_low", "_high")}
            line[f"n {name}"] = group["n"]
        whole = totals(of_way, hops_of(summary)[0]).iloc[0]
        for name, column in (("steps", "autoregressive_steps"), ("tokens", "forward_tokens")):
            line |= {f"{name}{end}": whole[f"{column}{end}"] for end in ("", "_low", "_high")}
        ratio = ratio_of_times(times.get(base), times.get(way))
        unknown = dict.fromkeys(("time", "time_low", "time_high"), float("nan"))
        line |= unknown if ratio is None else ratio.columns("time")
        line["time of"] = base
        spread = seeds.loc[way].to_dict() if way in seeds.index else {"trainings": 0}
        lines.append(line | spread)
    return lines


def _spread(line: "pd.Series[float]") -> str:
    """Lowest and highest training, and how many there are."""
    if line["trainings"] < 2:
        return MISSING
    ends = " to ".join(typeset(100 * line[end]) for end in ("lowest", "highest"))
    return f"{ends} ({int(line['trainings'])})"


def _finding(data: pd.DataFrame, hops: str) -> str:
    """Who answers most of the hardest questions, at what cost, and what latents reach."""
    hardest = f"hops {hops}"
    of = "all" if hops == ALL else number_of_hops(hops)
    best = data.loc[data[hardest].idxmax()]
    said = f"Of {of}, {called(best['way'])} answers most, {told(best, hardest)} in "
    said += f"{typeset(best['steps'])} steps"
    other = data[data["way"] == "ivtlr"]
    if len(other) and best["way"] != "ivtlr":
        line = other.iloc[0]
        said += f"; IVT-LR answers {told(line, hardest)} in {typeset(line['steps'])}"
    return f"{said}."


def _heading(domain: str, hops: str) -> str:
    if domain != ALL:
        return domain if hops == ALL else f"{domain}\n{number_of_hops(hops)}"
    return "accuracy" if hops == ALL else number_of_hops(hops)
