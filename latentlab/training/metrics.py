"""`metrics.jsonl`: what a training writes about itself, one JSON object a line.

Losses while a stage runs, with the share of the time that went by in waiting for batches, held-out
accuracy at its end, and with each the time the stage has taken so far. A resumed stage takes back
the lines it is about to write again and goes on counting from the last that it keeps, so the file
reads as if nothing had happened.
"""

import json
import time
from pathlib import Path
from typing import Any

from latentlab.files import told, write_text

METRICS_FILE = "metrics.jsonl"

_NOTHING: dict[str, Any] = {}


class StageLog:
    """Writes the lines of one stage."""

    def __init__(self, path: Path, stage: str) -> None:
        """Start the passes of a session."""
        self.path = path
        self.stage = stage
        self._earlier = (0.0, 0.0)
        self._start = (time.perf_counter(), time.process_time())

    def rewind(self, update: int) -> None:
        """Take back what the stage wrote after an update, and count time from there on."""
        lines = read_metrics(self.path)
        kept = [line for line in lines if line["stage"] != self.stage or _before(line, update)]
        last = next((line for line in reversed(kept) if line["stage"] == self.stage), _NOTHING)
        self._earlier = (last.get("seconds", 0.0), last.get("cpu_seconds", 0.0))
        if self.path.is_file():
            write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))

    def write(self, update: int, **values: Any) -> None:
        """Append one line, with the seconds of wall and CPU time since the stage began."""
        seconds, cpu_seconds = (
            round(earlier + now - start, 1)
            for earlier, now, start in zip(
                self._earlier, (time.perf_counter(), time.process_time()), self._start, strict=True
            )
        )
        line = {"stage": self.stage, "update": update, **values}
        with told(self.path), self.path.open("a") as file:
            file.write(json.dumps(line | {"seconds": seconds, "cpu_seconds": cpu_seconds}) + "\n")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Read a training's log; empty where there is none yet.

    A last line that a killed training left unfinished is no line.
    """
    lines = path.read_text().splitlines(keepends=True) if path.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _before(line: dict[str, Any], update: int) -> bool:
    """Whether a line tells of a loss up to an update; the held-out accuracy is measured anew."""
    return "loss" in line and bool(line["update"] <= update)
