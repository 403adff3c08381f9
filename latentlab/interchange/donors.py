"""Which donor rules the data serve, the treatment and its controls."""

from collections.abc import Callable, Sequence

from latentlab.data import Examples
from latentlab.data.pairs import match
from latentlab.errors import UserError
from latentlab.vocabulary import DonorRule

NEEDS: dict[DonorRule, str] = {
    "same_image": "traces, and questions worded as the benchmark's, to ask from another start",
    "unrelated": "questions of one domain and length on other pictures with other answers",
    "same_answer": "questions of one domain and length on other pictures with the same answer",
    "self": "a question",
}
"""What the data has to have for a rule to find a donor."""

TREATMENT: DonorRule = "same_image"
"""The rule whose outcome the task predicts; every other one is a control."""


def check_donors(
    rules: Sequence[DonorRule], examples: Examples, seed: int, tell: Callable[[str], None]
) -> None:
    """See which rules find donors in the data.

    Args:
        rules: the rules asked for.
        examples: the data.
        seed: as for `match`.
        tell: told, in one line each, what a rule does not find.

    Raises:
        UserError: no rule finds any.
    """
    without = []
    for rule in rules:
        pairs = match(rule, examples, seed)
        if not len(pairs):
            without.append(f"--donor {rule} needs {NEEDS[rule]}, which these data do not have")
        elif pairs.left_out:
            tell(f"--donor {rule}: {pairs.left_out} of {len(examples)} examples have no donor")
    if len(without) == len(rules):
        raise UserError(without[0])
    for message in without:
        tell(f"{message}; passed over")
