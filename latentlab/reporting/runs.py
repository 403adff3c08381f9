"""What was run on what, and what it found: one `Run` for each study whose results are there.

The sentences are the instruments' own; nothing is worded anew here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentlab.instruments.ablation import findings as ablation
from latentlab.instruments.ablation.supply import evidence_sentences, without_evidence
from latentlab.instruments.attention import findings as attention
from latentlab.instruments.calibration import findings as calibration
from latentlab.instruments.lens import findings as lens
from latentlab.instruments.mediation import findings as mediation
from latentlab.instruments.patch import findings as patch
from latentlab.instruments.probe import findings as probe
from latentlab.instruments.trace import findings as trace
from latentlab.paper.experiment import Study
from latentlab.reporting.facts import facts
from latentlab.results import Results


@dataclass(frozen=True)
class Run:
    """One study as the page tells it."""

    study: Study
    """Which one."""

    results: Results
    """What it left behind."""

    command_line: str
    """What a user types to make it again."""

    @property
    def facts(self) -> dict[str, str]:
        """What was run on what, by heading."""
        return facts(self.results)

    @property
    def sentences(self) -> list[str]:
        """What was found, one paragraph a model."""
        return CONCLUSIONS[self.study.command](self.results)


def told(found: dict[str, Results], studies: Iterable[Study], folder: Path) -> list[Run]:
    """The studies whose results were found, in the order of the questions of the page."""
    there = [study for study in studies if study.name in found]
    there.sort(key=lambda study: list(QUESTIONS).index(study.command))
    return [Run(study, typed(found[study.name]), study.command_line(folder)) for study in there]


def typed(results: Results) -> Results:
    """Give the summary back what a CSV file does not keep.

    Steps and layers are whole numbers, but read back as 1.0 where some line has none; and an empty
    text, which stands for "compared with nothing" and the like, reads back as missing.
    """
    summary = results.summary
    whole = [name for name in ("step", "layer") if name in summary]
    whole = [name for name in whole if summary[name].dtype.kind == "f"]
    empty = [name for name in ("against", "control_of", "positions") if name in summary]
    summary = summary.astype(dict.fromkeys(whole, "Int64")).fillna(dict.fromkeys(empty, ""))
    return replace(results, summary=summary)


def _interchange(results: Results) -> list[str]:
    from latentlab.interchange import conclusion

    return conclusion(results.summary)


def _ablate(results: Results) -> list[str]:
    seed = int(results.run["config"]["seed"])
    return [
        *ablation.conclusion(without_evidence(results)),
        *evidence_sentences(results.rows, seed),
    ]


def _evaluate(results: Results) -> list[str]:
    from latentlab.evaluate import conclusion

    return conclusion(results.summary, results.rows)


def _attention(results: Results) -> list[str]:
    top: Any = results.run["config"]["top"]
    return attention.conclusion(results.summary, int(top))


CONCLUSIONS: dict[str, Callable[[Results], list[str]]] = {
    "calibrate": lambda results: calibration.conclusion(results.summary),
    "evaluate": _evaluate,
    "ablate": _ablate,
    "mediation": lambda results: mediation.conclusion(results.summary),
    "interchange": _interchange,
    "patch": lambda results: patch.conclusion(results.summary),
    "attention": _attention,
    "probe": lambda results: probe.conclusion(results.summary),
    "lens": lambda results: lens.conclusion(results.summary),
    "trace": lambda results: trace.conclusion(results.summary),
}
"""The sentences of each command, from its results."""

QUESTIONS = {
    "calibrate": "Can the instruments be trusted?",
    "evaluate": "How well does each model answer?",
    "ablate": "What is lost without the latents?",
    "mediation": "How much of what the input does runs through the latents?",
    "interchange": "Whose answer is given on another question's latents?",
    "patch": "Where in the model is the answer carried?",
    "attention": "Where does a model look?",
    "probe": "What do the latents hold?",
    "lens": "What do the latents say in the model's own words?",
    "trace": "Which answers were recorded?",
}
"""What each command answers, in the order of the page."""
