"""Sentences of captions, by hand."""

import pandas as pd

from latentlab.figures.sentences import of_models, told
from latentlab.wording import joined

LINES = pd.DataFrame(
    {
        "model": ["a", "b"],
        "delta": [-0.52, 0.1],
        "delta_low": [-0.6, 0.04],
        "delta_high": [-0.43, float("nan")],
    }
)


def test_lists_read_as_in_a_sentence():
    assert joined(["a"]) == "a"
    assert joined(["a", "b"]) == "a and b"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert joined([]) == ""


def test_an_estimate_has_its_unit_before_the_interval():
    assert told(LINES.iloc[0], "delta", "points", signed=True) == "−52 points [−60, −43]"
    assert told(LINES.iloc[0], "delta", "nats") == "−0.52 nats [−0.60, −0.43]"


def test_every_model_has_its_own():
    assert of_models(LINES.iloc[:1], "delta") == "−52 % [−60, −43] (a)"
    both = of_models(LINES, "delta", "points", signed=True)
    assert both == "−52 points [−60, −43] (a) and +10 points (b)"
