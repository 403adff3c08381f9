"""Counts are told, and shown with n and an interval, over all questions and by domain."""

import pandas as pd

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
        }
    )
    show_necessity(labels)
    assert "80 [49, 94]" in capsys.readouterr().out
    assert necessity_clauses(labels) == {
        "relay": "8 of 10 answers are right only with its latents, 1 only with the same slots empty"
    }


def test_steps_are_told_and_no_line_is_wider_than_a_narrow_screen(capsys, monkeypatch):
    monkeypatch.setattr(console.results, "width", 80)
    labels = pd.DataFrame(
        {
            "model": "relay",
            "part": "latent_text at step 2",
            "domain": "digits",
            "necessity": ["needed"] * 9 + ["harmful"],
        }
    )
    show_necessity(labels)
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 80
    assert sum("90 [60, 98]" in text for text in shown) == 2  # all, and digits
    assert "only with its latent text at step 2, 1 only" in necessity_clauses(labels)["relay"]
