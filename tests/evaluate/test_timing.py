"""Who has a turn when; no test asserts how long anything takes."""

import numpy as np
import pytest

from latentlab.data import load_data
from latentlab.evaluate import timing
from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.rows import rows_of
from latentlab.evaluate.timing import REPEATS, rounds, with_times
from latentlab.study.instrument import Subject


def test_models_have_turns_batch_by_batch_and_the_first_round_does_not_count(monkeypatch):
    turns = []

    def worked(reasoner, asked, config):
        turns.append((reasoner, asked))
        return 100.0 if len(turns) <= 4 else {"a": 1.0, "b": 2.0}[reasoner]

    monkeypatch.setattr(timing, "_seconds", worked)
    taken = rounds(["a", "b"], ["first", "second"], EvaluateConfig())
    assert taken.shape == (REPEATS, 2)
    assert (taken == [2, 4]).all()
    assert turns[:4] == [("a", "first"), ("b", "first"), ("b", "second"), ("a", "second")]


def test_rows_say_what_every_round_took_where_the_picture_was_shown(planned):
    config = EvaluateConfig(no_image=True, max_new_tokens=4, batch_size=3)
    examples = load_data("benchmark")[:12]
    subjects = [Subject(planned(name), examples) for name in ("ivtlr", "cot")]
    for subject, name in zip(subjects, ("ivtlr", "cot"), strict=True):
        subject.reasoner.name = name
    rows = rows_of(config, subjects[0])
    found = with_times(config, subjects, rows)
    shown = found["intervention"] == "none"
    assert found.loc[~shown, "times"].isna().all()
    times = np.array(found.loc[shown, "times"].tolist())
    assert times.shape == (12, REPEATS)
    assert (times > 0).all()
    assert times == pytest.approx(np.tile(times[0], (12, 1)))
