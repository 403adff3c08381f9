"""Ablations of what a model writes by the method that it was trained for."""

import pytest

from latentlab.ablate.config import AblateConfig
from latentlab.checkpoint import load
from latentlab.data import load_data
from latentlab.errors import UserError

EXAMPLES = load_data("benchmark:size=20")
ASKED, OTHERS = [EXAMPLES[i] for i in range(8)], [EXAMPLES[i] for i in range(8, 20)]
WORDS = {"drop": ("rationale",), "part": ("rationale",), "replace": ("other", "first")}


@pytest.fixture(scope="module")
def taught():
    """The embedded `cot` under the name of a method whose one call is its own."""
    model = load("cot")
    model.method = "capimagine"
    return model


def test_arms_kinds_and_controls_are_those_of_a_chain_of_thought(taught, measured):
    config = AblateConfig(**WORDS, batch_size=8)
    rows = measured("ablate", config, taught, ASKED, OTHERS)
    own = measured("ablate", config, load("cot"), ASKED, OTHERS)
    facts = ["intervention", "kind", "control_of", "action", "part", "source", "positions"]
    assert rows[facts].equals(own[facts])
    assert list(rows.columns) == list(own.columns)
    right, before = (of.groupby("intervention")["correct"].mean() for of in (rows, own))
    assert right["none"] == before["none"] == right["sham rationale"]
    sham = rows[rows["intervention"] == "sham rationale"]
    assert (sham[["flip", "kl", "log_odds_change"]] == 0).all(axis=None)
    for arm in ("drop rationale", "other rationale", "first rationale"):
        assert right[arm] < right["none"] - 0.3


def test_flags_for_latents_are_one_line(taught, measured):
    for flags, said in (
        ({}, "nothing to ablate but its words"),
        ({"steps": "2"}, "takes no latent steps"),
        ({"drop": ("latent_text",)}, "takes no latent steps"),
    ):
        with pytest.raises(UserError, match=said):
            measured("ablate", AblateConfig(**flags), taught, ASKED, OTHERS)


def test_patches_and_words_of_one_model_stand_side_by_side(measured):
    config = AblateConfig(drop=("latent_vision", "rationale"), batch_size=8)
    rows = measured("ablate", config, load("cot_vision"), ASKED, OTHERS)
    assert {"none", "drop latent_vision", "drop rationale", "sham rationale"} <= set(
        rows["intervention"]
    )
    assert (rows["intervention"] == "none").sum() == len(ASKED)
    sham = rows[rows["intervention"] == "sham rationale"]
    assert not sham["flip"].any()
