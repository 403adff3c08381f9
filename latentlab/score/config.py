"""Score replies on disk, by the strict rule and by the rules of the projects side by side.

    python -m latentlab.score results/evaluate
    python -m latentlab.score gpt4v-direct.jsonl llava-7b-cot.jsonl
    python -m latentlab.score results.json --problems problems.json

A file has one JSON object a line, in the layout of the M3CoT project, which latentlab.evaluate
writes as well; or it is the ScienceQA project's result file, which names an index for each problem.
No model is run. A line that cannot be read is told, counted and left out.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from latentlab.command import RESULTS
from latentlab.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """Flags of `python -m latentlab.score`."""

    predictions: tyro.conf.Positional[tuple[Path, ...]]
    """Files of replies, or results folders of latentlab.evaluate."""

    problems: Path | None = None
    """ScienceQA's problems.json, for its result files, which do not hold the questions."""

    marker: str = "Answer:"
    """What stands before an answer, for the strict rule, where lines do not say it themselves."""

    examples: int = 2
    """How many replies to show of each way in which rules differ."""

    strict: bool = False
    """Stop at the first line that cannot be read."""

    out: Path = RESULTS / "score"
    """Folder of the results."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            UserError: no file or one named twice, no marker, or a negative number of examples.
        """
        if not self.predictions:
            raise UserError("no file to score: name the replies, as in results/evaluate")
        if len(set(self.predictions)) < len(self.predictions):
            raise UserError(f"a file is named twice: {' '.join(map(str, self.predictions))}")
        if not self.marker:
            raise UserError("--marker is empty: give what stands before an answer")
        if self.examples < 0:
            raise UserError(f"--examples {self.examples} is too small: it is at least 0")
