"""Recorded answers of a tiny model to hostile questions, and a browser to look at them."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from latentlab import checkpoint
from latentlab.ablate.config import AblateConfig
from latentlab.data import export, load_data
from latentlab.evaluate.config import EvaluateConfig
from latentlab.figures.artifacts import Drawing, Table, caption, write
from latentlab.figures.index import entry, update
from latentlab.figures.studies import TRACES
from latentlab.figures.style import RC, model_style
from latentlab.report.config import ReportConfig
from latentlab.report.run import main
from latentlab.study.instrument import instrument
from latentlab.study.results import ROWS, SUMMARY

EVIL = (
    "<script>document.body.dataset.hacked=1</script>"
    "<img src=x onerror=document.body.dataset.hacked=2>"
)
MODELS = ("tiny", "twin")
N = 24

COLLECTOR = """
window.problems = [];
window.onerror = (message) => { problems.push("error: " + message); };
const complain = console.error;
console.error = (...what) => { problems.push("console: " + what.join(" ")); complain(...what); };
document.addEventListener("securitypolicyviolation", (event) => {
  problems.push("policy: " + event.violatedDirective);
});
"""

REPORT = """
const hacked = document.body.dataset.hacked || null;
const found = JSON.stringify({...told, problems, hacked});
if (parent !== window) parent.postMessage(found, "*");
else document.body.dataset.told = found;
"""

PHONE = """<!doctype html><body><script>
addEventListener("message", (event) => { document.body.dataset.told = event.data; });
</script><iframe src="tested.html%s" width="%d" height="%d"></iframe></body>
"""
"""A window cannot be as narrow as a phone, a frame can."""


@dataclass
class World:
    """A report and what it was made of."""

    report: Path
    config: ReportConfig
    data: str


@pytest.fixture(scope="session")
def figures(tmp_path_factory) -> Path:
    """A folder as `latentlab.figures` leaves it: a figure of the main set, and an appendix."""
    folder = tmp_path_factory.mktemp("figures")
    cells = pd.DataFrame({"model": ["relay", "a | b"], "accuracy %": ["1.0 [0.5, 2.0]", "–"]})
    published = pd.DataFrame({"variant": [EVIL], "value": ["71.8"]})
    made = {
        "knockouts": ("main", drawing(f"Found {EVIL}.")),
        "a_figure": ("appendix", drawing("Found nothing.")),
        "a_table": ("appendix", Table(cells, NUMBERS, "Lines\nof cells.", published)),
    }
    for name, (_, one) in made.items():
        write(one, name, folder)
    titles = {"knockouts": EVIL, "a_figure": "A figure", "a_table": "A table"}
    listed = [entry(one, name, titles[name], part) for name, (part, one) in made.items()]
    update(listed, folder)
    return folder


NUMBERS = pd.DataFrame({"x": [1, 2]})


def drawing(finding: str) -> Drawing:
    """A figure with letters, a line in the colour of a model and a grid of colours."""
    with plt.rc_context(RC):
        figure = Figure(figsize=(6.75, 2))
        left, right = figure.subplots(1, 2)
        left.plot([0, 1], color=model_style("decoy")[0], label=EVIL)
        left.legend()
        right.imshow([[0, 1], [2, 3]])
    return Drawing(figure, NUMBERS, caption(finding, "Two panels, n = 2."))


def grade(path: Path) -> None:
    """Call some answers right, of which a model without training gives none: all cases occur."""
    rows = pd.read_parquet(path)
    number = rows["example"].map({name: i for i, name in enumerate(rows["example"].unique())})
    for arm, every in (("none", 2), ("drop latent: slots kept, empty", 3)):
        rows.loc[(rows["intervention"] == arm) & (number % every == 0), "correct"] = True
    rows.to_parquet(path, index=False)
    # Nor do its probes read anything: of one model those of step 1 shall be worth believing.
    summary = pd.read_csv(path.with_name(SUMMARY))
    believed = (summary["record"] == "step") & (summary["model"] == MODELS[0])
    summary.loc[believed & (summary["step"] == 1), "value"] = 0.75
    summary.to_csv(path.with_name(SUMMARY), index=False)


@pytest.fixture(scope="session")
def world(qwen, figures, tmp_path_factory) -> World:
    """The report of a tiny model on questions that try to run a script."""
    folder = tmp_path_factory.mktemp("report")
    asked = []
    for i, example in enumerate(load_data("benchmark", limit=N)):
        wrong = next(c for c in example.choices if c != example.answer)
        choices = tuple(EVIL if c == wrong else c for c in example.choices)
        question = f"{example.question} {EVIL} number{i}."
        asked.append(replace(example, question=question, choices=choices, domain=f"d{i % 2}"))
    export(asked, folder / "data")
    model = tuple(str(folder / name) for name in MODELS)
    for path in model:
        checkpoint.save(qwen, Path(path))
    data, results = str(folder / "data"), folder / "results"
    TRACES.of(model, data).run(results)
    grade(results / TRACES.name / ROWS)
    out = folder / "report.html"
    config = ReportConfig(model=model, data=data, results=results, figures=figures, out=out)
    main(config)
    return World(out, config, data)


@pytest.fixture(scope="session")
def own(world, tmp_path_factory):
    """Results of an evaluation and an ablation of one of two models; some answers are right."""
    results = tmp_path_factory.mktemp("own")
    common = {"model": (world.config.model[0],), "data": world.data, "limit": 16}
    flags = {"evaluate": EvaluateConfig(**common), "ablate": AblateConfig(**common)}
    for name, config in flags.items():
        folder = results / name
        instrument(name).run(replace(config, out=folder))
        make_right(name, folder, world.data)
    return results


def make_right(name, folder, data):
    """Make every other answer right, and of the ablated ones every third: all cases occur."""
    rows = pd.read_parquet(folder / ROWS)
    gold = {one.id: one.choices.index(one.answer) for one in load_data(data)}
    number = rows["example"].map({x: i for i, x in enumerate(rows["example"].unique())})
    alone = rows["intervention"] == "none"
    right = (alone & (number % 2 == 0)) | (~alone & (number % 3 == 0))
    rows.loc[right, "correct"] = True
    rows.loc[right, "choice"] = rows.loc[right, "example"].map(gold)
    wrong = ~right & (number % 5 == 0)
    rows.loc[wrong, "choice"] = (rows.loc[wrong, "example"].map(gold) + 1) % 4
    rows.to_parquet(folder / ROWS, index=False)
    instrument(name).summary(rows, 0).to_csv(folder / SUMMARY, index=False)


@pytest.fixture(scope="session")
def browse(world, tmp_path_factory):
    """Open the report, run a script in it, and return what it left in `told` and all problems.

    The script is let in by its hash, as the page's own is; everything else stays forbidden.
    """
    browser = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
    )
    if not browser:
        pytest.skip("no Chromium is installed to open the report with")
    folder = tmp_path_factory.mktemp("browser")

    def run(
        script: str,
        address: str = "",
        width: int = 1280,
        report: Path = world.report,
        flags: tuple[str, ...] = (),
        milliseconds: int = 1500,
    ) -> dict:
        page = report.read_text(encoding="utf-8")
        body = f"(async () => {{ const told = {{}};\n{script}\n{REPORT} }})();"
        tested = page
        for code in (COLLECTOR, body):
            digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
            tested = tested.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
        tested = tested.replace("<title>", f"<script>{COLLECTOR}</script><title>", 1)
        tested = tested.replace("</body>", f"<script>{body}</script></body>", 1)
        path = folder / "tested.html"
        path.write_text(tested, encoding="utf-8")
        if width < 500:
            path = folder / "phone.html"
            path.write_text(PHONE % (address, width, 844), encoding="utf-8")
            address = ""
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
        command += [f"--user-data-dir={folder / 'profile'}"]
        command += [f"--window-size={max(width, 500)},1000"]
        command += ["--enable-logging=stderr", *flags]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND", f"{path.as_uri()}{address}"]
        found, logged = None, []
        for times in (1, 4, 16):  # a frame may be read only when the browser's time is over
            budget = f"--virtual-time-budget={times * milliseconds}"
            done = subprocess.run(
                [command[0], budget, *command[1:]],
                capture_output=True,
                text=True,
                timeout=120,
                check=True,
            )
            logged = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
            if found := re.search(r'<body[^>]* data-told="([^"]*)"', done.stdout):
                break
        assert found, f"the script did not run: {logged}"
        return json.loads(html.unescape(found[1])) | {"logged": logged}

    return run
