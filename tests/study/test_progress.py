"""A killed study goes on; one of anything else starts anew, and nothing foreign is opened."""

import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from latentlab.data import Example
from latentlab.study import progress
from latentlab.study.batches import over_batches
from latentlab.study.progress import kept, state_of
from latentlab.study.results import read_results

EXAMPLES = [Example(str(i), "what?", ("a", "b"), "a", None) for i in range(10)]


@dataclass(frozen=True)
class Config:
    limit: int = 10
    out: Path | None = None


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def soon(monkeypatch, tmp_path):
    """Batches are kept as soon as they are finished; the key is of this test alone."""
    monkeypatch.setattr(progress, "INTERVAL", -1.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "results").mkdir()


def study(out, state="one", die_at=None):
    """Two calls over five batches each; what they return, and how often work was done."""
    done = []

    def work(batch):
        if len(done) == die_at:
            raise Killed
        done.append(batch)
        return [f"{example.id}!" for _, example in batch]

    with kept(out, state):
        found = [over_batches(EXAMPLES, 2, work, "call") for _ in range(2)]
    return found, len(done)


def test_only_what_was_not_finished_is_done_again(tmp_path):
    out = tmp_path / "results" / "ablate"
    whole, every = study(out)
    assert every == 10
    with pytest.raises(Killed):
        study(out, die_at=7)
    assert study(out) == (whole, 3)
    assert list(out.parent.iterdir()) == []
    assert study(out) == (whole, 10)


def test_another_study_starts_anew_and_clears_what_there_was(tmp_path):
    out = tmp_path / "results" / "ablate"
    with pytest.raises(Killed):
        study(out, die_at=7)
    with pytest.raises(Killed):
        study(out.with_name("ablate.two"), die_at=7)
    assert study(out, "another")[1] == 10
    (left,) = out.parent.iterdir()
    assert left.name.startswith(".ablate.two.")


def test_settings_weights_and_questions_make_the_state_and_where_it_goes_does_not(tmp_path):
    first = state_of(Config(), "ablate", {"cot": "1"}, EXAMPLES)
    assert first == state_of(Config(out=tmp_path), "ablate", {"cot": "1"}, EXAMPLES)
    asked = [replace(EXAMPLES[0], question="who?"), *EXAMPLES[1:]]
    shown = [replace(EXAMPLES[0], image=Image.new("RGB", (4, 4))), *EXAMPLES[1:]]
    others = {
        state_of(Config(limit=9), "ablate", {"cot": "1"}, EXAMPLES),
        state_of(Config(), "lens", {"cot": "1"}, EXAMPLES),
        state_of(Config(), "ablate", {"cot": "2"}, EXAMPLES),
        state_of(Config(), "ablate", {"cot": "1"}, asked),
        state_of(Config(), "ablate", {"cot": "1"}, shown),
        first,
    }
    assert len(others) == 6


class Bomb:
    """A pickle that would leave a trace if it were opened."""

    def __reduce__(self):
        return (Path("opened").touch, ())


def test_a_part_that_is_not_signed_by_this_user_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "results" / "ablate"
    with pytest.raises(Killed):
        study(out, die_at=7)
    (folder,) = out.parent.iterdir()
    parts = sorted(folder.iterdir())
    assert len(parts) == 7
    parts[0].write_bytes(b"\0" * 32 + pickle.dumps(Bomb()))
    parts[1].write_bytes(parts[1].read_bytes()[:40])
    assert study(out)[1] == 5
    assert not Path("opened").exists()


def test_rows_of_a_resumed_command_are_those_of_an_uninterrupted_one(commanded, monkeypatch):
    asked = ("--model", "cot", "--limit", "6", "--batch-size", "2", "--max-new-tokens", "4")
    evaluate = commanded("evaluate")
    assert evaluate(*asked, "--out", "whole")[0] == 0
    from latentlab.study import run

    score, calls = run.score, []

    def score_or_die(*args):
        calls.append(args)
        if len(calls) == 5:
            raise Killed
        return score(*args)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(run, "score", score_or_die)
        evaluate(*asked, "--out", "resumed")
    code, streams = evaluate(*asked, "--out", "resumed")
    assert code == 0
    assert "2 batches that an earlier run has finished are taken up" in streams.err
    rows = [
        read_results(Path(n)).rows.drop(columns=["seconds", "times"]) for n in ("whole", "resumed")
    ]
    pd.testing.assert_frame_equal(*rows, check_exact=True)
    assert not list(Path().glob(".*"))
