"""Results as figures read them: names and texts in which nothing acts.

Rows keep what data and folders are called, whatever that is. What is drawn, said in a caption or
put into a table is only to be seen, so figures get their results from here.
"""

import dataclasses
from typing import Any

import pandas as pd

from latentlab.console import visible
from latentlab.study.results import Results


def seen(results: Results) -> Results:
    """Results whose texts show control characters as their numbers (`console.visible`)."""
    rows, summary = results.rows.apply(_column), results.summary.apply(_column)
    return dataclasses.replace(results, rows=rows, summary=summary, run=_values(results.run))


def _column(column: pd.Series) -> pd.Series:
    """A column, changed where it is one of texts."""
    if pd.api.types.infer_dtype(column, skipna=True) != "string":
        return column
    shown = {text: visible(text) for text in column.dropna().unique()}
    acting = {text: told for text, told in shown.items() if text != told}
    return column.replace(acting) if acting else column


def _values(value: Any) -> Any:
    """A value of a record, texts in lists and names of fields among them."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {_values(name): _values(one) for name, one in value.items()}
    return [_values(one) for one in value] if isinstance(value, list) else value
