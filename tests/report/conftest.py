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
from matplotlib.figure import Figure

from latentlab import checkpoint
from latentlab.data import export, load_data
from latentlab.figures.artifacts import Drawing, Table, write
from latentlab.figures.run import page as index_page
from latentlab.figures.studies import TRACES
from latentlab.report.config import ReportConfig
from latentlab.report.run import main
from latentlab.study.results import ROWS

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
    """A folder as `latentlab.figures` leaves it: one figure, one table."""
    folder = tmp_path_factory.mktemp("figures")
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().plot([0, 1])
    numbers = pd.DataFrame({"x": [1, 2]})
    cells = pd.DataFrame({"model": ["relay", "a | b"], "accuracy %": ["1.0 [0.5, 2.0]", "–"]})
    published = pd.DataFrame({"variant": [EVIL], "value": ["71.8"]})
    write(Drawing(figure, numbers, f"Shows {EVIL}."), "a_figure", folder)
    write(Table(cells, numbers, "Lines\nof cells.", published), "a_table", folder)
    index_page({"a_figure": "A figure", "a_table": "A table", "absent": "Not made"}, folder)
    return folder


def grade(path: Path) -> None:
    """Call some answers right, of which a model without training gives none: all cases occur."""
    rows = pd.read_parquet(path)
    number = rows["example"].map({name: i for i, name in enumerate(rows["example"].unique())})
    for arm, every in (("none", 2), ("drop latent: slots kept, empty", 3)):
        rows.loc[(rows["intervention"] == arm) & (number % every == 0), "correct"] = True
    rows.to_parquet(path, index=False)


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
    page = world.report.read_text(encoding="utf-8")

    def run(
        script: str,
        address: str = "",
        width: int = 1280,
        flags: tuple[str, ...] = (),
        milliseconds: int = 1500,
    ) -> dict:
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
        command += [
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={max(width, 500)},1000",
        ]
        command += [f"--virtual-time-budget={milliseconds}", "--enable-logging=stderr", *flags]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND", f"{path.as_uri()}{address}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        logged = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
        found = re.search(r'<body[^>]* data-told="([^"]*)"', done.stdout)
        assert found, f"the script did not run: {logged}"
        return json.loads(html.unescape(found[1])) | {"logged": logged}

    return run
