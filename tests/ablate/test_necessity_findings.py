"""Counts are told with n and an interval, over all questions and by domain."""

import pandas as pd

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
