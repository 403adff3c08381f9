import pandas as pd
import pytest

from latentlab.calibrate.gauges import Gauge, gauges


@pytest.fixture
def gauge():
    def find(name: str, part: str = "latent_text") -> Gauge:
        (found,) = (g for g in gauges() if g.name == name and g.part == part)
        return found

    return find


def test_points_lost_are_paired_by_example(gauge):
    rows = pd.DataFrame(
        {
            "example": ["a", "b", "c", "c", "b", "a"],
            "intervention": ["none"] * 3 + ["drop latent_text"] * 3,
            "correct": [True, True, False, True, False, True],
        }
    )
    held = gauge("ablate: drop, positions held")
    assert held.one_rule and held.read(rows).to_dict() == {"a": 0, "b": 1, "c": -1}
    assert gauge("ablate: drop, positions held", "latent_vision").read(rows).empty


def test_what_is_lost_under_every_rule_is_no_more_than_under_the_mildest(gauge):
    arms = ["none", "drop latent_text", "drop latent_text: positions closed"]
    arms.append("placeholder latent_text")
    right = {"a": [1, 0, 0, 0], "b": [1, 0, 1, 0], "c": [1, 1, 1, 1], "d": [0, 1, 0, 0]}
    rows = pd.DataFrame(
        [(e, arm, bool(r)) for e, of in right.items() for arm, r in zip(arms, of, strict=True)],
        columns=["example", "intervention", "correct"],
    )
    always = gauge("ablate: removed, under every rule")
    assert not always.one_rule
    assert always.read(rows).to_dict() == {"a": 1, "b": 0, "c": 0, "d": -1}


def test_a_flip_counts_above_its_sham(gauge):
    rows = pd.DataFrame(
        {
            "example": ["a", "b", "c"] * 2,
            "part": "latent_vision",
            "step_set": "all",
            "patches": "needed",
            "sham": [""] * 3 + ["permuted"] * 3,
            "strict_flip": [True, True, False, False, True, False],
        }
    )
    assert gauge("interchange: mark in a patch", "latent_vision").read(rows).to_dict() == {
        "a": 1, "b": 0, "c": 0,
    }  # fmt: skip
    assert gauge("interchange: mark in a patch", "latent_vision").read(pd.DataFrame()).empty


def test_patches_supply_what_no_way_of_emptying_them_gives(gauge):
    empty = [("empty", "kept"), ("empty", "held"), ("empty", "closed")]
    slots = [("own", ""), *empty]
    right = {"a": [1, 0, 0, 0], "b": [1, 0, 1, 0], "c": [0, 0, 0, 0]}
    rows = pd.DataFrame(
        [
            (e, "masked", vision, "remade", positions, bool(r))
            for e, of in right.items()
            for (vision, positions), r in zip(slots, of, strict=True)
        ],
        columns=["example", "evidence", "vision_slots", "text_slots", "positions", "correct"],
    )
    read = gauge("ablate: patches supply", "latent_vision").read
    assert read(rows).to_dict() == {"a": 1, "b": 0, "c": 0}
    assert read(rows.assign(vision_slots="")).empty


def test_a_restored_answer_counts_only_where_the_patch_turned_it(gauge):
    rows = pd.DataFrame(
        {
            "example": ["a", "b", "c"] * 3,
            "component": "resid_pre",
            "part": ["latent_text"] * 6 + ["latent_vision"] * 3,
            "step": [2] * 3 + [10] * 6,
            "control": "",
            "hit": [True] * 3 + [True, True, False] + [False] * 3,
            "hit_before": [False] * 3 + [False, True, False] + [False] * 3,
            "patched": 0.0,
        }
    )
    read = gauge("patch: answer restored").read(rows)
    assert read.to_dict() == {"a": 1, "b": 0, "c": 0}  # at the last step, which is not step 2
    assert gauge("patch: answer restored", "latent_vision").read(rows).sum() == 0


def test_attribution_adds_up_layers_and_steps(gauge):
    rows = pd.DataFrame(
        {
            "example": ["a", "a", "a", "b"],
            "measure": "attribution",
            "source": ["latent_text", "latent_text", "image", "latent_text"],
            "target": ["answer", "answer", "answer", "other option"],
            "logit": [0.5, 0.25, 9.0, 9.0],
        }
    )
    assert gauge("lens: added to the logit").read(rows).to_dict() == {"a": 0.75}


def test_a_probe_is_read_at_its_own_hop_and_against_shuffled_labels(gauge):
    rows = pd.DataFrame(
        {
            "example": ["a", "b", "a", "a"],
            "kind": "probe",
            "place": "latent_text",
            "step": pd.array([1, 1, 2, 0], dtype="Int64"),
            "target": ["object 1", "object 1", "object 1", "object 0"],
            "correct": [True, True, True, True],
            "control": [False, True, False, False],
        }
    )
    assert gauge("probe: object above shuffled").read(rows).to_dict() == {"a": 1, "b": 0}


def test_a_latent_is_named_as_its_own_object_less_as_another(gauge):
    rows = pd.DataFrame(
        {
            "example": ["a", "a", "a", "b", "b"],
            "measure": "as fed in",
            "step": pd.array([1, 1, 2, 1, 1], dtype="Int64"),
            "target": ["hop 1", "other object", "hop 1", "hop 1", "other object"],
            "rank": [1.0, 4.0, 9.0, 3.0, 1.0],
        }
    )
    assert gauge("lens: object above another").read(rows).to_dict() == {"a": 1, "b": -1}
