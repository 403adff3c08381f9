from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from latentlab import files
from latentlab.errors import UserError
from latentlab.study import results
from latentlab.study.provenance import Start, provenance
from latentlab.study.results import check_out, claimed, read_results, write_results


@dataclass(frozen=True)
class Config:
    model: tuple[str, ...] = ("relay",)
    limit: int = 500
    out: Path | None = None


ROWS = pd.DataFrame({"example": ["a", "b"], "correct": [True, False], "score": [0.1 + 0.2, None]})
SUMMARY = pd.DataFrame({"topic": ["None", "NA"], "accuracy": [0.5, float("nan")]})


def record(config: Config = Config(), command: str = "ablate") -> dict:
    return provenance(config, command, 0, {}, Start())


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read_back(tmp_path):
    run = record()
    folder = write_results(tmp_path / "deep" / "ablate", ROWS, SUMMARY, run)
    back = read_results(folder)
    assert_frame_equal(back.rows, ROWS)
    assert_frame_equal(back.summary, SUMMARY)
    assert back.run == run
    assert entries(folder) == ["rows.parquet", "run.json", "summary.csv"]
    assert entries(folder.parent) == ["ablate"]


@pytest.mark.parametrize("piece", ["to_parquet", "to_csv"])
def test_crash_while_writing_leaves_nothing(tmp_path, monkeypatch, piece):
    def crash(*_args: object, **_kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, piece, crash)
    with pytest.raises(UserError, match="ablate cannot be written: disk full"):
        write_results(tmp_path / "ablate", ROWS, SUMMARY, record())
    assert entries(tmp_path) == []


@pytest.mark.parametrize("failing", ["old", "new"])
def test_crash_while_replacing_leaves_what_was_there(tmp_path, monkeypatch, failing):
    out = write_results(tmp_path / "ablate", ROWS, SUMMARY, record())
    rename = Path.rename
    monkeypatch.setattr(files, "_swapped", lambda one, other: False)

    def crash(self: Path, target: Path) -> Path:
        if (target.suffix == ".old") == (failing == "old") and not self.suffix == ".old":
            raise OSError("gone")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", crash)
    with pytest.raises(UserError, match="gone"):
        write_results(out, ROWS.head(1), SUMMARY, record())
    assert entries(tmp_path) == ["ablate"]
    assert_frame_equal(read_results(out).rows, ROWS)


def test_same_command_and_settings_replace_their_results(tmp_path):
    out = write_results(tmp_path / "ablate", ROWS, SUMMARY, record())
    (out / "notes.md").write_text("mine")
    elsewhere = replace(Config(), out=out)
    check_out(out, elsewhere, "ablate")
    write_results(out, ROWS.head(1), SUMMARY, record(elsewhere))
    assert len(read_results(out).rows) == 1
    assert (out / "notes.md").read_text() == "mine"
    assert entries(tmp_path) == ["ablate"]


@pytest.mark.parametrize(
    ("config", "command", "named"),
    [
        (Config(), "evaluate", "results of ablate"),
        (Config(limit=20), "ablate", "limit"),
        (Config(model=("relay", "gaze"), limit=20), "ablate", "limit, model"),
    ],
)
def test_other_results_are_never_replaced(tmp_path, config, command, named):
    out = write_results(tmp_path / "ablate", ROWS, SUMMARY, record())
    with pytest.raises(UserError, match=named):
        check_out(out, config, command)
    with pytest.raises(UserError, match=named):
        write_results(out, ROWS, SUMMARY, record(config, command))
    assert_frame_equal(read_results(out).rows, ROWS)


def test_folder_of_someone_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="no results of ours"):
        check_out(tmp_path, Config(), "ablate")
    with pytest.raises(UserError, match="is a file"):
        check_out(tmp_path / "thesis.tex", Config(), "ablate")
    with pytest.raises(UserError, match="cannot be created"):
        check_out(tmp_path / "thesis.tex" / "ablate", Config(), "ablate")


def test_empty_folder_is_free(tmp_path):
    check_out(tmp_path, Config(), "ablate")
    write_results(tmp_path, ROWS, SUMMARY, record())
    assert_frame_equal(read_results(tmp_path).rows, ROWS)


@pytest.mark.parametrize("piece", ["rows.parquet", "summary.csv", "run.json"])
def test_missing_and_damaged_pieces_are_named(tmp_path, piece):
    out = write_results(tmp_path / "ablate", ROWS, SUMMARY, record())
    (out / piece).write_bytes(b"")
    with pytest.raises(UserError, match="damaged"):
        read_results(out)
    (out / piece).unlink()
    with pytest.raises(UserError, match=f"{piece} is missing"):
        read_results(out)


def test_what_the_system_says_is_no_damage(tmp_path, monkeypatch):
    out = write_results(tmp_path / "ablate", ROWS, SUMMARY, record())

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pd, "read_parquet", denied)
    with pytest.raises(UserError, match=r"ablate cannot be read: Permission denied$"):
        read_results(out)


@pytest.mark.parametrize("mistake", [AttributeError, AssertionError, IndexError, RuntimeError])
def test_mistakes_of_the_library_are_not_taken_for_damage(tmp_path, monkeypatch, mistake):
    out = write_results(tmp_path / "ablate", ROWS, SUMMARY, record())

    def wrong(_: object) -> None:
        raise mistake

    monkeypatch.setattr(results, "_typed", wrong)
    with pytest.raises(mistake):
        read_results(out)


def test_reading_nothing_says_how_to_get_something(tmp_path):
    with pytest.raises(UserError, match="run the command that makes it"):
        read_results(tmp_path / "ablate")


def test_a_second_run_into_one_folder_is_told_at_once(tmp_path):
    out = tmp_path / "ablate"
    with claimed(out, Config(), "ablate"):
        second = claimed(out, Config(), "ablate")
        with pytest.raises(UserError, match="being written by another run"), second:
            pytest.fail("both have it")
        write_results(out, ROWS, SUMMARY, record())
    with claimed(out, Config(), "ablate"):
        write_results(out, ROWS.head(1), SUMMARY, record())
    assert entries(tmp_path) == ["ablate"]


def test_what_a_folder_holds_besides_is_kept_without_being_copied(tmp_path):
    out = write_results(tmp_path / "ablate", ROWS, SUMMARY, record())
    (out / "plots" / "deep").mkdir(parents=True)
    (out / "plots" / "deep" / "one.png").write_bytes(b"picture")
    before = (out / "plots" / "deep" / "one.png").stat().st_ino
    write_results(out, ROWS.head(1), SUMMARY, record())
    assert (out / "plots" / "deep" / "one.png").stat().st_ino == before
    assert len(read_results(out).rows) == 1
