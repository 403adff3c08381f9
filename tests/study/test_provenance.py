import json
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from latentlab.errors import UserError
from latentlab.study.provenance import Start, checkpoint_hash, git_revision, provenance, resolve


@dataclass(frozen=True)
class Part:
    site: str = "latent_text"


@dataclass(frozen=True)
class Config:
    model: tuple[str, ...] = ("relay", "gaze")
    out: Path | None = Path("results/ablate")
    part: Part = Part()


def test_settings_are_resolved_to_what_json_gives_back():
    settings = resolve(Config())
    assert settings == {
        "model": ["relay", "gaze"],
        "out": "results/ablate",
        "part": {"site": "latent_text"},
    }
    assert json.loads(json.dumps(settings)) == settings


def test_record_is_plain_and_complete():
    started = Start(ticks=time.monotonic() - 5)
    record = provenance(Config(), "ablate", 7, {"relay": "ab12"}, started)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["command"] == "ablate"
    assert record["config"] == resolve(Config())
    assert record["seed"] == 7
    assert record["checkpoints"] == {"relay": "ab12"}
    assert 5 <= record["seconds"] < 60
    assert set(record["versions"]) >= {"python", "latentlab", "torch", "transformers", "pandas"}
    assert all(record["versions"].values())


def test_a_clock_that_jumps_back_makes_no_negative_time(monkeypatch):
    class Yesterday(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2001, 1, 1, tzinfo=tz)

    started = Start(ticks=time.monotonic() - 5)
    monkeypatch.setattr("latentlab.study.provenance.datetime", Yesterday)
    assert 5 <= provenance(Config(), "ablate", 7, {}, started)["seconds"] < 60
    assert 0 <= Start().seconds < 60
    assert Start().at.year == 2001


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "relay"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_text("{}")
    return folder


def test_hash_depends_on_weights_and_settings_only(checkpoint):
    before = checkpoint_hash(checkpoint)
    (checkpoint / "notes.txt").write_text("not part of the model")
    (checkpoint / "run.json").write_text("when and on what it was trained")
    assert checkpoint_hash(checkpoint) == before
    moved = checkpoint.rename(checkpoint.with_name("moved"))
    assert checkpoint_hash(moved) == before
    for name in ("model.safetensors", "config.json"):
        content = (moved / name).read_bytes()
        (moved / name).write_bytes(content + b" ")
        assert checkpoint_hash(moved) != before
        (moved / name).write_bytes(content)
    (moved / "config.json").rename(moved / "plan.json")
    assert checkpoint_hash(moved) != before


def test_folder_without_weights_is_no_checkpoint(tmp_path):
    with pytest.raises(UserError, match="no checkpoint"):
        checkpoint_hash(tmp_path)


def test_git_revision_is_of_a_checkout_that_tracks_the_folder(tmp_path):
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        command = ["git", *identity, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    package = tmp_path / "package"
    package.mkdir()
    source = package / "module.py"
    source.write_text("")
    assert git_revision(package) is None
    git("init")
    assert git_revision(package) is None
    git("add", ".")
    git("commit", "--message", "first")
    assert git_revision(package) == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    source.write_text("edited = True")
    assert git_revision(package) == {"commit": git("rev-parse", "HEAD"), "dirty": True}
    foreign = tmp_path / "site-packages"
    foreign.mkdir()
    assert git_revision(foreign) is None
