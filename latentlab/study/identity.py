"""Who was asked what: the columns that rows of every study begin with."""

from typing import Any

from latentlab.data.example import Example


def identity(model: str, data: str, example: Example) -> dict[str, Any]:
    """The columns that say which model was asked which example of which data.

    The example's further groups are columns of their own names, which never take another's place.
    """
    own = {
        "model": model,
        "data": data,
        "example": example.id,
        "domain": example.domain,
        "topic": example.topic,
        "hops": example.hops,
        "question_type": example.question_type,
    }
    return own | {name: value for name, value in example.groups if name not in own}
