"""What the logs of trainings tell: held-out accuracy stage by stage, updates and CPU time.

Held-out accuracy is measured at the end of each stage on the validation split, with as many latent
steps as the stage has; the steps that are left are written in words.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from latentlab.checkpoint import ZOO, called
from latentlab.measures.statistics import accuracy_interval
from latentlab.measures.summary import ALL
from latentlab.study.results import Results
from latentlab.training.config import CONFIG_FILE
from latentlab.training.metrics import METRICS_FILE, read_metrics


def folders(results: Results) -> dict[str, Path]:
    """Where the models of a study lie, by their names in the rows: folders or embedded models."""
    given = results.run["config"]["model"]
    return {
        name: next((path for path in (Path(name), ZOO / name) if path.is_dir()), Path(name))
        for name in given
    } | {called(name, Path(name)): Path(name) for name in given if Path(name).is_dir()}


def stages(folder: Path) -> pd.DataFrame:
    """Held-out accuracy after each stage of the training whose model lies in a folder.

    Returns:
        What `held_out` returns, with `latent_steps` of each stage; empty without log or settings.
    """
    if not (folder / CONFIG_FILE).is_file():
        return held_out(Path()).assign(latent_steps=[])
    settings = yaml.safe_load((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    steps = {stage["name"]: stage.get("latent_steps", 0) for stage in settings["stages"]}
    lines = held_out(folder / METRICS_FILE)
    return lines.assign(latent_steps=[steps[name] for name in lines["stage"]])


def held_out(log: Path) -> pd.DataFrame:
    """Held-out accuracy after each stage, by kind of question.

    Args:
        log: a `metrics.jsonl`.

    Returns:
        One line per stage, domain and number of hops, with the columns `stage`, `updates` and
        `cpu_minutes` (of the training so far), `domain`, `hops` (text, `all` where it is not
        known), `n` and `accuracy` with its Wilson interval; empty where there is no log.
    """
    columns = ["stage", "updates", "cpu_minutes", "domain", "hops", "n"]
    columns += ["accuracy", "accuracy_low", "accuracy_high"]
    lines = []
    updates, minutes = 0, 0.0
    for entry in read_metrics(log) if log.is_file() else []:
        if "held_out" not in entry:
            continue
        updates, minutes = updates + entry["update"], minutes + entry["cpu_seconds"] / 60
        for group, value in entry["held_out"].items():
            domain, _, hops = group.partition("/")
            measured = (value["n"], value["accuracy"], value["low"], value["high"])
            lines.append((entry["stage"], updates, minutes, domain, hops or ALL, *measured))
    return pd.DataFrame(lines, columns=columns)


def hardest(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines of the questions with most hops; of all questions where hops are not known."""
    of_domains = lines[lines["domain"] != ALL]
    known = of_domains.loc[of_domains["hops"] != ALL, "hops"]
    if known.empty:
        return of_domains
    most = str(known.astype(int).max())
    return of_domains[of_domains["hops"] == most]


def pooled(lines: pd.DataFrame) -> dict[str, float]:
    """Accuracy over several groups of questions taken together: `n`, `accuracy` and its ends."""
    n = lines["n"].to_numpy(int)
    right = int(np.rint(n * lines["accuracy"].to_numpy(float)).sum())
    value = accuracy_interval(np.arange(n.sum()) < right)
    ends = {"accuracy": value.mean, "accuracy_low": value.low, "accuracy_high": value.high}
    return {"n": value.n, **ends}
