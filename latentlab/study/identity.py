"""Who was asked what: the columns that rows of every study begin with."""

from typing import Any

from latentlab.data.example import Example


def identity(model: str, data: str, example: Example) -> dict[str, Any]:
    """The columns that say which model was asked which example of which data."""
    return {
        "model": model,
        "data": data,
        "example": example.id,
        "domain": example.domain,
        "topic": example.topic,
        "hops": example.hops,
        "question_type": example.question_type,
    }
