"""Who was asked what: the columns that rows of every study begin with."""

from collections.abc import Sequence
from typing import Any

from latentlab.data.example import Example


def identity(model: str, data: str, example: Example) -> dict[str, Any]:
    """The columns that say which model was asked which example of which data.

    The example's further groups are columns of their own names.
    """
    return {
        "model": model,
        "data": data,
        "example": example.id,
        "domain": example.domain,
        "topic": example.topic,
        "hops": example.hops,
        "question_type": example.question_type,
        **dict(example.groups),
    }


def group_columns(examples: Sequence[Example]) -> dict[str, list[str | None]]:
    """The further groups of several examples, one column for each name that any of them has."""
    known = [dict(example.groups) for example in examples]
    names = dict.fromkeys(name for groups in known for name in groups)
    return {name: [groups.get(name) for groups in known] for name in names}
