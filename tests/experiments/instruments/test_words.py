"""Words and orders follow the numbers."""

import numpy as np
import pandas as pd

from latentlab.figures.instruments import of_sham, perturbations_in, widest, without_repeats


def test_words_of_captions_follow_the_numbers():
    lines = pd.DataFrame({"a": [0.0, np.nan], "a_low": [-0.1, 0.0], "a_high": [0.3, 0.1]})
    assert widest(lines, "a") == "reach at most 20.0 points to either side"
    assert widest(lines.iloc[:0], "a").startswith("do not exist")
    assert of_sham(lines[["a"]]) == "exactly nothing"
    assert of_sham(lines) == "something, up to 0.3"
    assert of_sham(lines.iloc[:0]) == "exactly nothing"


def test_perturbations_come_in_a_fixed_order_with_what_they_were_given():
    lines = pd.DataFrame({"perturbation": ["none", "relink 3", "noise 0.5", "blank"]})
    assert list(perturbations_in(lines).items()) == [
        ("blank", "blank picture"),
        ("noise 0.5", "picture noise 0.5"),
        ("relink 3", "mark leads elsewhere 3"),
        ("none", "nothing (sham)"),
    ]


def test_both_parts_together_are_dropped_where_there_is_only_one():
    parts = ["latent_text", "latent_vision", "latent"]
    lines = pd.DataFrame({"model": ["a", "a", "a", "b", "b"], "part": [*parts, parts[0], parts[2]]})
    kept = without_repeats(lines)
    assert kept.groupby("model")["part"].apply(list).to_dict() == {"a": parts, "b": parts[:1]}
