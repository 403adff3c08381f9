"""What rows of an interchange say of its pairs: whose answer is whose, and which one to expect."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from latentlab.data import Example
from latentlab.data.pairs import Pairs
from latentlab.interchange import counterfactual
from latentlab.vocabulary import DonorRule


def labelled(
    rows: pd.DataFrame,
    rule: DonorRule,
    pairs: Pairs,
    correct: Sequence[bool],
    arms: Sequence[Sequence[dict[str, str | None]]],
) -> pd.DataFrame:
    """Rows of recipients with what is known of their donors.

    Args:
        rows: rows of all arms on all recipients.
        rule: whose latents, or words, were put in.
        pairs: who donated to whom.
        correct: whether each donor answers its own question right.
        arms: of each pair what is known of each arm.
    """
    lent = {recipient.id: donor.id for recipient, donor in pairs}
    uses = Counter(lent.values())
    facts = [
        {**_pair(rule, *pair), "donor_uses": uses[pair[1].id], "donor_correct": right, **arm}
        for pair, right, of_pair in zip(pairs, correct, arms, strict=True)
        for arm in of_pair
    ]
    found = pd.DataFrame(facts).astype({"expected_answer": "str", "donor_shown": "boolean"})
    # What only counterfactual donors have.
    found = found.assign(hop=None, needed_cell_picked=None, change_norm=float("nan"))
    found = found.assign(patches="", sham="").astype(counterfactual.TYPES)
    # Pairs that were given one donor are right or wrong together, as those that show one scan.
    rows["cluster"] = [
        [*labels, f"donor {name}"]
        for labels, name in zip(rows["cluster"], rows["example"].map(lent), strict=True)
    ]
    return rows.merge(found, on=["example", "intervention"], validate="one_to_one")


def _pair(rule: DonorRule, recipient: Example, donor: Example) -> dict[str, object]:
    """What all rows of a pair say of it."""
    return {
        "example": recipient.id,
        "donor": rule,
        "donor_example": donor.id,
        "choices": list(recipient.choices),
        "own_answer": recipient.answer,
        "donor_answer": donor.answer,
        "donor_shown": recipient.trace and donor.answer in recipient.trace.objects,
    }
