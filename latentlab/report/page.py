"""The page: one HTML file that holds everything it shows, and may fetch nothing.

What comes from data is text: jinja2 escapes it where it is written into the page, and the viewer's
data lie in a block that cannot be left, from which the script only ever makes text nodes. A content
security policy with the hashes of our one style and one script says so once more: whatever might
slip through is not run.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from latentlab.report import overview, viewer
from latentlab.report.gallery import Exhibit
from latentlab.report.runs import ToldStudy, question
from latentlab.version import __version__

GENERATOR = "LatentLab report"
"""How a page of ours is known again."""

STYLES = ("style.css", viewer.STYLE, overview.STYLE)
"""The parts of the style, in order."""

SCRIPTS = (*viewer.SCRIPTS, *overview.SCRIPTS)
"""The parts of the script, in order."""

OPEN = ("calibrate", "evaluate", "ablate")
"""Commands whose findings are unfolded; of the others the question is shown."""

_INTERVAL = re.compile(r"\[[-\d., ]+\]")
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render(
    runs: Sequence[ToldStudy],
    exhibits: Sequence[Exhibit],
    traces: dict[str, Any] | None,
    about_traces: str,
    missing: Sequence[tuple[str, str]],
    overview_data: dict[str, Any] | None = None,
) -> str:
    """The page as text.

    Args:
        runs: studies, in the order of `runs.ORDER`.
        exhibits: tables and figures.
        traces: what `traces.viewer_data` returns; None leaves the viewer out.
        about_traces: which answers the viewer shows, in a sentence.
        missing: parts without results, each with the command that makes them.
        overview_data: what `overview.overview_data` returns; None leaves the overview out.
    """
    style, script = ("\n".join(map(_part, names)) for names in (STYLES, SCRIPTS))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, loader=FunctionLoader(_part)
    )
    environment.filters |= {"groupby_question": _by_question, "typeset": typeset}
    data = {run.facts["data"]: None for run in runs if run.facts["data"]}
    models = {model: None for run in runs for model in run.results.run["checkpoints"]}
    return environment.get_template("template.html").render(
        generator=GENERATOR,
        version=__version__,
        policy=policy(style, script),
        style=Markup(style),
        script=Markup(script),
        runs=runs,
        findings=[run for run in runs if run.study.command != "trace"],
        models=list(models),
        data=list(data),
        exhibits=exhibits,
        traces=None if traces is None else Markup(json_block(traces)),
        about_traces=about_traces,
        overview=None if overview_data is None else Markup(json_block(overview_data)),
        missing=missing,
        unfolded=OPEN,
    )


def policy(style: str, script: str) -> str:
    """A content security policy that allows one style, one script and embedded pictures."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def json_block(values: Any) -> str:
    """JSON that can stand inside of a script element: nothing in it can end the element."""
    text = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def typeset(paragraph: str, models: Sequence[str]) -> Markup:
    """A paragraph in which its model stands out and intervals step back."""
    name = max((m for m in models if paragraph.startswith(m)), key=len, default="")
    rest = _INTERVAL.sub(
        r'<span class="interval">\g<0></span>', str(escape(paragraph[len(name) :]))
    )
    lead = Markup("<b>{}</b>").format(name) if name else Markup("")
    return lead + Markup(rest)


def _by_question(runs: Sequence[ToldStudy]) -> Iterator[tuple[str, list[ToldStudy]]]:
    """Runs under the question that their command answers."""
    for asked_of, asked in groupby(runs, key=lambda run: question(run.study.command)):
        yield asked_of, list(asked)


def _part(name: str) -> str:
    """A file of the page, with the line ends that a browser counts with."""
    text = (files("latentlab.report") / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
