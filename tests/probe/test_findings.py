"""Sentences say "holds" only where both controls are beaten, and never more than was read."""

import numpy as np
import pandas as pd
import pytest

from latentlab.probe.findings import best_layer, conclusion, show_tables
from latentlab.probe.similarity import value_lines
from latentlab.probe.summary import answer_lines, gap_lines, probe_lines

N = 200


def rows_of(accuracies: dict[tuple[str, int, int, str], float]) -> pd.DataFrame:
    """Probes with given accuracies; shuffled labels are right once in fifty."""
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {
                "kind": "probe",
                "place": place,
                "step": step,
                "layer": layer,
                "target": target,
                "label": ["a", "b"] * (N // 2),
                "correct": rng.permutation(N) < accuracy * N,
                "control": rng.permutation(N) < 0.02 * N,
            }
        )
        for (place, step, layer, target), accuracy in accuracies.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(model="m", data="d")


@pytest.fixture
def summary():
    def make(own: float, other: float) -> pd.DataFrame:
        accuracies = {}
        for place, step, layer in (
            ("latent_text", 1, -1),
            ("slot", 1, 0),
            ("slot", 1, 1),
            ("answer", 2, 1),
            ("question", 0, -1),
        ):
            here = own * (1 if layer < 0 else 0.5 if layer == 0 else 0.1)
            accuracies |= {
                (place, step, layer, "object 1"): here if place != "question" else 0.02,
                (place, step, layer, "object 0"): other,
                (place, step, layer, "cell 1"): 0.02,
                (place, step, layer, "answer"): 0.9 if place == "answer" else 0.1,
            }
        rows = rows_of(accuracies)
        probes = probe_lines(rows)
        answers = [
            {"kind": kind, "target": target, "correct": i < right * N, "control": control}
            for target in ("answer", "likeliest option")
            for kind, right, control in (("left alone", 0.8, None), ("latent-only", 0.4, False))
            for i in range(N)
        ]
        where = {"model": "m", "data": "d", "place": "answer", "step": 2, "layer": None}
        cosines = pd.DataFrame(
            {
                "kind": "similarity",
                "place": "latent_text",
                "step": pd.array([None] * 3, "Int64"),
                "target": "inter-example cosine, raw",
                "value": [0.4, 0.5, 0.6],
            }
        )
        parts = [
            probes,
            pd.DataFrame(gap_lines(probes, rows)),
            answer_lines(pd.DataFrame(answers).assign(**where)),
            value_lines(cosines.assign(model="m", data="d")),
        ]
        whole = pd.concat(parts, ignore_index=True)
        return whole.astype({"step": "Int64", "layer": "Int64"})

    return make


def test_a_latent_holds_its_object_if_both_controls_are_beaten(summary):
    (text,) = conclusion(summary(own=0.9, other=0.1))
    assert text.startswith(
        "m: The latent of step 1 holds the object of hop 1, read by probes in 90 % ["
    )
    assert "(shuffled labels: 2.0 %; any other hop: at most 10 %)" in text
    assert "the cell it lies in cannot be read (2" in text
    assert text.count(". ") == 2
    assert "Probes read the answer in 90 % at the answer marker, 10 %" in text
    assert "From its latents alone it answers 40 % [" in text
    assert text.endswith("(untouched: 80 %, empty slots: 0 %).")


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        (0.6, 0.6, "The latent of step 1 tells no more of the object of hop 1 than of another"),
        (0.5, 0.9, "The latent of step 1 tells no more of the object of hop 1 than of another"),
        (0.02, 0.02, "The latent of step 1 does not tell the object of hop 1"),
    ],
)
def test_otherwise_it_does_not(summary, own, other, words):
    (text,) = conclusion(summary(own, other))
    assert words in text
    assert "holds" not in text


def test_the_best_layer_tells_the_own_hop_best(summary, capsys):
    lines = summary(own=0.9, other=0.1)
    assert best_layer(lines[lines["kind"] == "probe"]) == -1
    slots = lines[(lines["kind"] == "probe") & (lines["place"] == "slot")]
    assert best_layer(slots) == 0
    show_tables(lines)
    shown = " ".join(capsys.readouterr().out.split())  # a narrow screen folds titles
    assert "m: what probes read off a latent as it is fed in" in shown
    assert "after layer 1 of its slot" in shown
    assert "shuffled labels" in shown
    assert "question alone" in shown
    # How alike latents of different questions are stands in the table.
    assert "0.50 [0.40, 0.60]" in shown
