"""What a stage tells while it runs: the log of its losses, lines on the screen, or a bar."""

import math
import time
from typing import Any

from transformers import (
    ProgressCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from latentlab.console import note, remarks
from latentlab.errors import UserError
from latentlab.training.ahead import Ahead
from latentlab.training.metrics import StageLog


class Report(TrainerCallback):
    """Writes losses to the log, and tells them where no bar is drawn."""

    def __init__(self, log: StageLog, name: str, batches: Ahead) -> None:
        """Keep where to write, what to call the stage on the screen, and what is waited for."""
        self.log = log
        self.name = name
        self.batches = batches
        self._last = (0.0, 0.0)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Take back what will be written again after a resume."""
        self._last = (time.perf_counter(), self.batches.waited)
        if state.is_world_process_zero:
            self.log.rewind(state.global_step)
        resumed = f", from {state.global_step} on" if state.global_step else ""
        parts = (args.world_size, args.gradient_accumulation_steps)
        shared = "" if parts == (1, 1) else ", each of {} processes x {} passes".format(*parts)
        note(f"{self.name}: {state.max_steps} updates{shared}{resumed}")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write one line of losses.

        Raises:
            UserError: the loss is no longer a number.
        """
        if not logs or "loss" not in logs:
            return
        loss, update = float(logs["loss"]), state.global_step
        if not math.isfinite(loss):
            raise UserError(f"{self.name}: the loss is {loss} by update {update}; lower the rates")
        keep = {name: logs[name] for name in ("loss", "grad_norm", "learning_rate")}
        if state.is_world_process_zero:
            self.log.write(update, **keep, waiting=self._waiting())
        if not remarks.is_terminal:
            note(f"{self.name} update {update}/{state.max_steps} loss {loss:.3f}")

    def _waiting(self) -> float:
        """Share of the time since the last log that went by in waiting for batches."""
        now = (time.perf_counter(), self.batches.waited)
        passed, waited = (new - old for new, old in zip(now, self._last, strict=True))
        self._last = now
        return round(waited / passed, 4)


class Bar(ProgressCallback):
    """A bar with the loss at its end, in place of a line for each log."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Show the loss."""
        if logs and "loss" in logs and self.training_bar is not None:
            self.training_bar.set_postfix(loss=f"{logs['loss']:.3f}")
