"""The best of many readings is one only where its interval says so, and none likewise."""

import pandas as pd
import pytest

from latentlab.lens.findings import conclusion
from latentlab.measures.statistics import accuracy_interval


def summary(read: int, other: int, n: int) -> pd.DataFrame:
    """One place before the marker, at which answer and another option are read so often."""
    lines = []
    for target, count in (("answer", read), ("other option", other)):
        top1 = accuracy_interval([True] * count + [False] * (n - count))
        lines.append(
            {"model": "m", "data": "d", "domain": "all", "measure": "logit lens", "target": target}
            | {"step": 2, "slot": "latent_text", "layer": 3, "n": n, "component": None}
            | {"top1": top1.mean, "top1_low": top1.low, "top1_high": top1.high}
        )
    return pd.DataFrame(lines)


@pytest.mark.parametrize(
    ("read", "other", "n", "said"),
    [
        (300, 20, 500, "the answer best at step 2"),
        (8, 5, 500, "the answer nowhere: the best place is step 2"),
        (2, 1, 20, "the answer perhaps, too uncertain to tell, at step 2"),
        (50, 20, 500, "the answer perhaps, too uncertain to tell, at step 2"),
    ],
)
def test_a_reading_is_there_absent_or_uncertain(read, other, n, said):
    (sentence,) = conclusion(summary(read, other, n))
    assert said in sentence
    assert f"of {n} questions" in sentence
