"""Files that people write, held against the dataclasses that they fill.

A dataclass is the schema: pydantic reads its annotations in strict mode, where a truth value is no
number, a text is no list and NaN is no number either, and writes them as JSON schemas for editors
(`tools/schemas.py`). The dataclasses stay those of the standard library: they cost nothing to
import, pickle and compare as ever, and pydantic is loaded when the first of them is made. Every
mistake is one line: file, line, field, what was found, what is known.
"""

from typing import Annotated, Any, Final

from annotated_types import Ge, Gt

from latentlab.schema.fields import check, read
from latentlab.schema.paths import exists, is_folder
from latentlab.schema.text import read_file, read_json, read_yaml

STRICT: Final[dict[str, Any]] = {
    "extra": "forbid",
    "strict": True,
    "allow_inf_nan": False,
    "use_attribute_docstrings": True,
}
"""What a dataclass that files fill has as its `__pydantic_config__`."""

Whole = Annotated[int, Ge(0)]
"""A whole number from 0."""

Count = Annotated[int, Ge(1)]
"""A whole number from 1."""

Amount = Annotated[float, Ge(0)]
"""A finite number from 0."""

Positive = Annotated[float, Gt(0)]
"""A finite number above 0."""

__all__ = [
    "STRICT",
    "Amount",
    "Count",
    "Positive",
    "Whole",
    "check",
    "exists",
    "is_folder",
    "read",
    "read_file",
    "read_json",
    "read_yaml",
]
