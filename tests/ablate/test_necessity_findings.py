"""Counts are told with n and an interval, over all questions and by domain."""

import pandas as pd

from latentlab import console
from latentlab.ablate.necessity_findings import necessity_sentences, show_necessity


def test_necessity_is_shown_as_a_table_and_told(capsys):
    show_necessity(pd.DataFrame())
    assert capsys.readouterr().out == ""
    assert necessity_sentences(pd.DataFrame()) == []
    labels = pd.DataFrame(
        {
            "model": "relay",
            "part": "latent",
            "domain": ["digits", "letters"] * 5,
            "necessity": ["needed"] * 8 + ["harmful", "right either way"],
        }
    )
    show_necessity(labels)
    assert "8 = 80.0 [49.0, 94.3]" in capsys.readouterr().out
    assert necessity_sentences(labels) == [
        "relay is right with its latents, and wrong with these slots empty, in 8 (80.0 % [49.0, "
        "94.3]) of 10 questions; the other way round in 1 (10.0 % [1.8, 40.4])."
    ]


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
    assert sum("9 = 90.0 [59.6, 98.2]" in text for text in shown) == 2  # all, and digits
    (said,) = necessity_sentences(labels)
    assert said.startswith("relay is right with its latent text at step 2, and wrong with these")
