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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from latentlab.console import visible
from latentlab.report import overview, viewer
from latentlab.report.answers import Answer, answer_to
from latentlab.report.cast import cast, in_question
from latentlab.report.gallery import MAIN, PIXELS, Exhibit
from latentlab.report.lead import answer
from latentlab.report.paint import dark_rules, model_rules
from latentlab.report.questions import QUESTIONS, Question
from latentlab.report.runs import ToldStudy
from latentlab.report.still import still_of, told_of
from latentlab.report.worked import worked_question
from latentlab.study.results import Results
from latentlab.version import __version__

GENERATOR = "LatentLab report"
"""How a page of ours is known again."""

STYLES = ("style.css", viewer.STYLE, overview.STYLE)
"""The parts of the style, in order."""

SCRIPTS = ("page.js", *viewer.SCRIPTS, *overview.SCRIPTS)
"""The parts of the script, in order."""

_INTERVAL = re.compile(r"\[[-−+\d., ]+\]")
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


@dataclass(frozen=True)
class Asked:
    """A question, what answers it and what shows it."""

    question: Question
    """The question."""

    answer: Answer
    """A sentence and a small table, as far as there are results."""

    exhibits: tuple[Exhibit, ...]
    """Its tables and figures."""


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
    found = {run.study.name: run.results for run in runs}
    unknown, members = in_question(found), cast(found)
    models = {model: None for run in runs for model in run.results.run["checkpoints"]}
    asked = list(_asked(found, unknown, exhibits))
    shown = {exhibit.name for one in asked for exhibit in one.exhibits}
    style, script = ("\n".join(map(_part, names)) for names in (STYLES, SCRIPTS))
    style += figure_rules(exhibits) + model_rules(models)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, loader=FunctionLoader(_part)
    )
    environment.filters["typeset"] = typeset
    page = environment.get_template("template.html").render(
        generator=GENERATOR,
        version=__version__,
        policy=policy(style, script),
        style=Markup(style),
        script=Markup(script),
        runs=runs,
        models=list(models),
        sentences=answer(found, unknown),
        worked=worked_question() if any(map(_on_benchmark, runs)) else None,
        cast=members,
        measured=any(one.alone for one in members),
        questions=asked,
        appendix=[exhibit for exhibit in exhibits if exhibit.name not in shown],
        traces=Markup(json_block(traces)) if traces and traces["models"] else None,
        still=still_of(traces) if traces and traces["models"] else None,
        told=told_of(traces) if traces and not traces["models"] else [],
        about_traces=about_traces,
        overview=None if overview_data is None else Markup(json_block(overview_data)),
        missing=missing,
    )
    return visible(page)


def _asked(
    found: Mapping[str, Results], models: Sequence[str], exhibits: Sequence[Exhibit]
) -> Iterator[Asked]:
    """The questions that something answers, each with what the main set has of it.

    Where that is no figure, the first figure of the appendix stands with it.
    """
    named = {exhibit.name: exhibit for exhibit in exhibits}
    for question in QUESTIONS:
        there = tuple(named[name] for name in question.exhibits if name in named)
        here = tuple(exhibit for exhibit in there if exhibit.part == MAIN)
        if not any(exhibit.drawn for exhibit in here):
            here = (*[exhibit for exhibit in there if exhibit.drawn][:1], *here)
        told = answer_to(question.anchor, found, models)
        if here or told.sentence or told.table:
            yield Asked(question, told, here)


def _on_benchmark(run: ToldStudy) -> bool:
    """Whether a study asked the diagnostic benchmark."""
    return run.facts["data"].partition(":")[0] == "benchmark"


def figure_rules(exhibits: Sequence[Exhibit]) -> str:
    """Style that depends on the figures: how wide each is, and its colours in the dark."""
    widths = sorted({exhibit.size[0] for exhibit in exhibits if exhibit.drawing})
    rules = [f".w{px}{{width:clamp({round(0.7 * px)}px,100%,{px}px)}}" for px in widths]
    paper = [f".w{px}{{width:{px / PIXELS:.2f}in!important}}" for px in widths]
    rules.append(f"@media print{{{''.join(paper)}}}")
    return "\n".join(["", *rules, dark_rules(exhibit.drawing or "" for exhibit in exhibits)])


def policy(style: str, script: str) -> str:
    """A content security policy that allows one style, one script and embedded pictures."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )


def json_block(values: Any) -> str:
    """JSON that can stand inside of a script element: nothing in it can end the element."""
    text = json.dumps(_visible(values), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def _visible(values: Any) -> Any:
    """Values whose texts do nothing to the direction or the lines of what stands beside them."""
    if isinstance(values, str):
        return visible(values)
    if isinstance(values, Mapping):
        return {_visible(name): _visible(value) for name, value in values.items()}
    return [_visible(value) for value in values] if isinstance(values, list | tuple) else values


def typeset(paragraph: str, models: Sequence[str]) -> Markup:
    """A paragraph in which its first model stands out and intervals step back."""
    name = max((m for m in models if paragraph.startswith(m)), key=len, default="")
    rest = _INTERVAL.sub(
        r'<span class="interval">\g<0></span>', str(escape(paragraph[len(name) :]))
    )
    lead = Markup("<b>{}</b>").format(name) if name else Markup("")
    return lead + Markup(rest)


def _part(name: str) -> str:
    """A file of the page, with the line ends that a browser counts with."""
    text = (files("latentlab.report") / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
