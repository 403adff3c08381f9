"""Whether recorded answers hold what the viewer shows; those of earlier versions may not."""

from latentlab.errors import UserError
from latentlab.study.results import Results
from latentlab.trace.records import ANSWER, STEP, is_written

_KEYS = ["model", "example", "intervention"]

_ROWS = (
    *_KEYS, "record", "step", "seen", "patch_attention", "picks", "grid_rows", "grid_columns",
    "cell_read", "cell_target", "query", "ratio:image/text", "focus:image",
    "ratio:reinserted/text", "uniform_ratio:image/text", "uniform_focus:image",
    "uniform_ratio:reinserted/text", "option_probs", "choice", "text", "correct", "kind",
    "control_of", "action", "part", "steps", "source", "strength", "control", "positions",
    "context",
)  # fmt: skip
"""Columns of the rows that are shown."""

_SUMMARY = ("model", "record")
"""Columns of the summary that are shown; those of probes are there where probes could be fitted."""


def check_recorded(results: Results) -> None:
    """Refuse recorded answers that lack what is shown.

    Args:
        results: results of `latentlab.trace`.

    Raises:
        UserError: a column is missing, or an answer has no latent steps of its arm.
    """
    again = (
        "the recorded answers were made by an earlier version: run latentlab.trace again, into the "
        "same folder"
    )
    rows = results.rows
    rows = rows[~is_written(rows)]
    if rows.empty and len(results.rows):
        return
    lacking = [name for name in _ROWS if name not in rows]
    lacking += [f"{name} of the summary" for name in _SUMMARY if name not in results.summary]
    if lacking:
        raise UserError(f"{again} (no column {lacking[0]})")
    arms = {record: rows.loc[rows["record"] == record, _KEYS] for record in (ANSWER, STEP)}
    stepped = set(arms[STEP].itertuples(index=False, name=None))
    for model, example, arm in arms[ANSWER].itertuples(index=False, name=None):
        if (model, example, arm) not in stepped:
            raise UserError(f"{again} (no latent steps of {model} under {arm!r} on {example})")
