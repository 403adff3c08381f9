"""Every figure about instruments is made, of what it is given and no more."""

import numpy as np
import pytest

from latentlab.figures.artifacts import Drawing

NAMES = (
    "answer_attention", "attention", "attention_knockouts", "attention_maps", "attention_runs",
    "attribution", "calibration", "interchange", "latents_moved", "lens_grid", "mediation",
    "mediation_steps", "patching_grid", "probe_grid", "similarity",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_made(make, name):
    artifact = make(name)
    assert isinstance(artifact, Drawing)
    artifact.figure.draw_without_rendering()
    assert "95 %" in artifact.caption or name == "attention_maps"
    assert "retrained" in artifact.caption
    for word in ("nan", "<NA>", "None"):
        assert word not in artifact.caption


@pytest.mark.parametrize("name", NAMES)
def test_data_without_traces_are_shown_as_they_are(make, untraced, name):
    artifact = make(name, untraced)
    assert len(artifact.data)
    artifact.figure.draw_without_rendering()


@pytest.mark.parametrize(
    ("name", "columns", "along"),
    [
        ("attention", {"value": 1}, 1),
        ("attention_runs", {"value": 1}, 1),
        ("attention_knockouts", {"lost": 100}, 0),
        ("attribution", {"logit": 1}, 0),
        ("calibration", {"reading": 1}, 0),
        ("mediation_steps", {"nie_share": 100, "tie_share": 100}, 1),
        ("similarity", {"value": 1}, 1),
    ],
)
def test_every_number_drawn_is_in_the_data_and_no_other(make, name, columns, along, drawn):
    made = make(name)
    values = [scale * made.data[column].to_numpy(float) for column, scale in columns.items()]
    wanted = np.sort(np.concatenate(values))
    np.testing.assert_allclose(drawn(made.figure.axes, along), wanted, atol=1e-9)
