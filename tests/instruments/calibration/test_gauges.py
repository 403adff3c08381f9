import pandas as pd
import pytest

from latentlab.instruments.calibration.gauges import Gauge, gauges


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
    assert gauge("ablate: drop").read(rows).to_dict() == {"a": 0, "b": 1, "c": -1}
    assert gauge("ablate: drop", "latent_vision").read(rows).empty


def test_a_restored_answer_counts_only_where_the_patch_turned_it(gauge):
    rows = pd.DataFrame(
        {
            "example": ["a", "b", "c"] * 3,
            "kind": "activation patching",
            "component": "resid_pre",
            "slot": ["text 2"] * 3 + ["text 10"] * 3 + ["vision 10"] * 3,
            "hit": [True] * 3 + [True, True, False] + [False] * 3,
            "hit_before": [False] * 3 + [False, True, False] + [False] * 3,
            "patched": 0.0,
        }
    )
    read = gauge("patch: answer restored").read(rows)
    assert read.to_dict() == {"a": 1, "b": 0, "c": 0}  # at the last step, which is not "text 2"
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
