"""Everything a person reads on the screen: results, remarks, tables and progress.

Results go to standard output and nothing else does, so that a table can be piped into a file;
progress, remarks and errors go to standard error. No other room of the library writes to a stream.
"""

from latentlab.console.numbers import (
    MINUS,
    amount,
    estimate,
    interval_text,
    percent,
    signed,
    typeset,
)
from latentlab.console.progress import advance, progress, reach, track
from latentlab.console.streams import (
    aside,
    fail,
    forget,
    hush,
    note,
    note_once,
    remarks,
    results,
    show,
    visible,
    warn,
    widen,
)
from latentlab.console.table import MISSING, table

__all__ = [
    "MINUS",
    "MISSING",
    "advance",
    "amount",
    "aside",
    "estimate",
    "fail",
    "forget",
    "hush",
    "interval_text",
    "note",
    "note_once",
    "percent",
    "progress",
    "reach",
    "remarks",
    "results",
    "show",
    "signed",
    "table",
    "track",
    "typeset",
    "visible",
    "warn",
    "widen",
]
