"""Whether a model and the examples it is asked fit together, looked up before anything runs."""

from collections.abc import Sequence

from latentlab.data.example import Example
from latentlab.reasoner import Reasoner
from latentlab.study.understood import UNREADABLE, share_unknown


def cannot_read(reasoner: Reasoner, examples: Sequence[Example], data: str) -> str:
    """Why answers of a model would say nothing; empty where it knows the words it is asked in.

    Args:
        reasoner: the model.
        examples: what it is asked.
        data: what to call them.
    """
    share = share_unknown(reasoner.prompter, examples)
    if share <= UNREADABLE:
        return ""
    return (
        f"{reasoner.name} does not know {100 * share:.0f} % of the words of {data}, so its answers "
        "would say nothing"
    )


def lacks_traces(reasoner: Reasoner, examples: Sequence[Example]) -> str:
    """Which example lacks the trace that a model takes its picks from; empty where none does."""
    plan, name = reasoner.plan, reasoner.name
    if plan.steps and plan.select == "given":
        for example in examples:
            if example.trace is None:
                return f"{name} is given its picks, but {example.id} has no trace to take them from"
    return ""
