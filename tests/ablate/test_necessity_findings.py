"""Counts are told, and shown with n and an interval, over all questions and by domain."""

import pandas as pd
import pytest

from latentlab import console
from latentlab.ablate.necessity_findings import necessity_clauses, show_necessity


def test_necessity_is_shown_as_a_table_and_told(capsys):
    show_necessity(pd.DataFrame())
    assert capsys.readouterr().out == ""
    assert necessity_clauses(pd.DataFrame()) == {}
    labels = pd.DataFrame(
        {
            "model": "relay",
            "part": "latent",
            "domain": ["digits", "letters"] * 5,
            "necessity": ["needed"] * 8 + ["harmful", "right either way"],
            "placeholder_trained": True,
        }
    )
    show_necessity(labels)
    assert "80 [49, 94]" in capsys.readouterr().out
    assert necessity_clauses(labels) == {
        "relay": "8 of 10 answers are right only with its latents, 1 only with the same slots "
        "empty; its training put the placeholder token there too"
    }


@pytest.mark.parametrize("met", [True, False, pd.NA])
def test_need_is_not_claimed_of_a_model_that_does_not_know_the_token(met, capsys):
    labels = pd.DataFrame(
        {"model": "own", "part": "latent", "domain": "x", "necessity": ["needed"] * 10}
    ).assign(placeholder_trained=pd.Series([met] * 10, dtype="boolean"))
    show_necessity(labels)
    said, shown = necessity_clauses(labels)["own"], capsys.readouterr().out
    words = {True: "put the placeholder token there too", False: "never put the placeholder"}
    expected = "nothing tells whether its training" if met is pd.NA else words[met]
    assert expected in said
    assert expected in " ".join(shown.split())
    assert ("no proof of need" in said) is (met is not True)


def test_steps_are_told_and_no_line_is_wider_than_a_narrow_screen(capsys, monkeypatch):
    monkeypatch.setattr(console.results, "width", 80)
    labels = pd.DataFrame(
        {
            "model": "relay",
            "part": "latent_text at step 2",
            "domain": "digits",
            "necessity": ["needed"] * 9 + ["harmful"],
            "placeholder_trained": False,
        }
    )
    show_necessity(labels)
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 80
    assert sum("90 [60, 98]" in text for text in shown) == 2  # all, and digits
    assert "only with its latent text at step 2, 1 only" in necessity_clauses(labels)["relay"]
