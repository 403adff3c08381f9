"""Replies that are begun with given words, and where in a reply its answer begins."""

from collections.abc import Callable, Sequence

from torch import Tensor

from latentlab.methods.call import Call
from latentlab.prompts import Prompter
from latentlab.reasoning.greedy import kinds_of
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.said import Words
from latentlab.reasoning.words import StepEnds


def begun_of(
    calls: Sequence[Call], plan: LatentPlan, ends: StepEnds
) -> tuple[list[Words], list[tuple[int, ...]]]:
    """What the replies of a batch begin with.

    Args:
        calls: the calls, all of them begun or none.
        plan: how they reason.
        ends: where a written step ends.

    Returns:
        What the plan's steps say, where it writes them, and what follows on the steps. Both are
        empty where no reply is begun.
    """
    given = [call.begun for call in calls if call.begun is not None]
    words = []
    for _ in range(plan.steps if plan.in_words and given else 0):
        cut = [_step(ids, ends) for ids in given]
        pairs = list(zip(given, cut, strict=True))
        words.append(Words.of([ids[:at] for ids, at in pairs], [at > 0 for at in cut]))
        given = [ids[at:] for ids, at in pairs]
    return words, given


def _step(ids: Sequence[int], ends: StepEnds) -> int:
    """How many tokens the next step of a text has; none where its answer is next."""
    for at, token in enumerate(ids):
        if token in ends.stops:
            break
        if ends.ends(ids[: at + 1]):
            return at + 1
    return 0


def gaps_of(calls: Sequence[Call], after: Tensor) -> list[int]:
    """Positions to leave free before each reply, given which id would be next."""
    return [
        0 if call.stands is None else call.stands - follows
        for call, follows in zip(calls, after.tolist(), strict=True)
    ]


def marked(prompter: Prompter, output: Sequence[int]) -> int | None:
    """Where the last answer marker of a reply begins; None where none does."""
    marker = list(prompter.marker_ids)
    starts = range(len(output) - len(marker), -1, -1) if marker else ()
    return next((at for at in starts if list(output[at : at + len(marker)]) == marker), None)


def before_answer(prompter: Prompter, output: Sequence[int]) -> tuple[list[int], list[int]]:
    """A reply up to its last marker and with it, and the kinds of its tokens.

    Where a reply leaves the marker out, it is put where the reply begins, so that an option is
    scored as an answer at once.
    """
    marker = prompter.decode(prompter.marker_ids)
    end = _end_of(prompter.decode, output, marker)
    text = list(prompter.marker_ids) if end is None else list(output[:end])
    first = prompter.marker_ids[0] if prompter.marker_ids else None
    return text, kinds_of(text, first)


def _end_of(decode: Callable[[Sequence[int]], str], ids: Sequence[int], marker: str) -> int | None:
    """Where the last marker of a reply ends, in tokens; tokens may hold more than it."""
    if not marker or marker not in decode(ids):
        return None
    start = next(at for at in reversed(range(len(ids))) if marker in decode(ids[at:]))
    return next(end for end in range(start + 1, len(ids) + 1) if marker in decode(ids[start:end]))
