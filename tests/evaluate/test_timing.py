"""Who has a turn when; no test asserts how long anything takes."""

import numpy as np
import pytest

from latentlab.data import load_data
from latentlab.evaluate import timing
from latentlab.evaluate.config import EvaluateConfig
from latentlab.evaluate.rows import rows_of
from latentlab.evaluate.timing import REPEATS, Unscored, rounds, with_times
from latentlab.methods import METHODS
from latentlab.methods.run import run_method
from latentlab.study.instrument import Subject


def test_models_have_turns_batch_by_batch_and_the_first_round_does_not_count(monkeypatch):
    turns = []

    def worked(reasoner, method, asked, config):
        turns.append((reasoner, asked))
        return 100.0 if len(turns) <= 4 else {"a": 1.0, "b": 2.0}[reasoner]

    monkeypatch.setattr(timing, "_seconds", worked)
    taken = rounds([("a", None), ("b", None)], ["first", "second"], EvaluateConfig())
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


def test_methods_of_one_model_have_turns_of_their_own(planned):
    config = EvaluateConfig(method=("own", "ivtlr"), max_new_tokens=4, batch_size=4)
    subject = Subject(planned("ivtlr"), load_data("benchmark")[:12])
    methods = [METHODS[name] for name in config.method]
    found = with_times(config, [subject], rows_of(config, subject, methods))
    times = found.groupby("method")["times"].agg(lambda of: {tuple(one) for one in of})
    assert [len(of) for of in times] == [1, 1]
    assert times["own"] != times["ivtlr"]


def test_what_is_timed_is_said_and_not_scored(planned):
    model, asked = planned("ivtlr"), list(load_data("benchmark")[:3])
    scored = run_method(model, METHODS["own"], asked, 4)
    plain = run_method(model, METHODS["own"], asked, 4, speaker=Unscored(model))
    assert [one.answer.text for one in plain] == [one.answer.text for one in scored]
    assert all(one.answer.option_logprobs == () for one in plain)
