"""The trainer of one stage: `transformers.Trainer` with our loss, optimizer and order of the data.

What it adds up between two logs of losses is kept in its checkpoints, so that a resumed training
logs what an uninterrupted one does, whatever the steps of checkpoints and logs.
"""

from collections.abc import Iterator, Sized
from typing import Any, cast

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainerCallback, TrainerState

from latentlab.errors import UserError
from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.objective import Objective, TrainingBatch
from latentlab.training.optimizer import make_optimizer
from latentlab.training.processes import aloud

_UNLOGGED = "unlogged"
"""Where a trainer's state keeps what was added up since losses were last logged."""


class StageTrainer(Trainer):
    """A Trainer whose loss is the objective's and whose batches come in a fixed order."""

    loss_is_scaled_for_ga = True  # by `compute_loss`, over accumulated passes and processes

    def __init__(
        self, objective: Objective, config: TrainConfig, stage: StageConfig, **kwargs: Any
    ) -> None:
        """Keep what the optimizer needs."""
        self.config = config
        self.stage = stage
        super().__init__(model=objective, **kwargs)

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor | tuple[Tensor, Any]:
        """Return what a share of the batch adds to the mean over all tokens of the batch.

        The trainer adds up passes and takes the mean over processes, hence their number.
        """
        assert num_items_in_batch is not None, "the trainer counts what an update is made of"
        outputs = model(**inputs)
        batch: TrainingBatch = inputs["batch"]
        share = batch.n_targets * self.accelerator.num_processes / num_items_in_batch
        loss: Tensor = outputs["loss"] * share
        return (loss, outputs) if return_outputs else loss

    def get_batch_samples(
        self, epoch_iterator: Iterator[Any], num_batches: int, device: torch.device
    ) -> tuple[list[Any], Tensor | int | None]:
        """Make what one update takes of this process; a mistake in an example is told by it."""
        with aloud():
            return super().get_batch_samples(epoch_iterator, num_batches, device)

    def _get_num_items_in_batch(
        self, batch_samples: list[Any], device: torch.device
    ) -> Tensor | int | None:
        """Count the tokens to be predicted in one update, by all processes."""
        own = torch.tensor(sum(inputs["batch"].n_targets for inputs in batch_samples))
        return cast(Tensor, self.accelerator.gather(own.to(device))).sum()

    def create_optimizer(self, model: nn.Module | None = None) -> Optimizer:
        """Make the stage's optimizer."""
        if self.optimizer is None:
            self.optimizer = make_optimizer(
                cast(nn.Module, self.model if model is None else model),
                self.stage.learning_rate,
                self.stage.muon_learning_rate,
                self.config.weight_decay,
            )
        return self.optimizer

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Keep beside the weights what has been added up since losses were last logged.

        Raises:
            UserError: the disk does not take it.
        """
        sums = self.accelerator.gather(self._tr_loss.reshape(1)).tolist()
        unlogged = {"sums": sums, "since": self._globalstep_last_logged}
        _kept(self.state)[_UNLOGGED] = unlogged
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise UserError(
                f"{self.args.output_dir}: the checkpoint of update {self.state.global_step} cannot "
                f"be written ({reason}); the one before it is kept"
            ) from error

    def take_up(self) -> None:
        """Go on adding up where the checkpoint was written, so that logs are those of one run."""
        unlogged = _kept(self.state).get(_UNLOGGED)
        # By another number of processes it cannot be dealt out.
        if unlogged and len(unlogged["sums"]) == self.accelerator.num_processes:
            self._tr_loss += unlogged["sums"][self.accelerator.process_index]
            self._globalstep_last_logged = unlogged["since"]

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        """Keep the order that `StageData` fixed."""
        data = self.train_dataset if train_dataset is None else train_dataset
        return SequentialSampler(cast(Sized, data))


class TakeUp(TrainerCallback):
    """Tells a trainer when it has read its state and begins."""

    def __init__(self, trainer: StageTrainer) -> None:
        """Keep whom to tell."""
        self.trainer = trainer

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Tell it."""
        self.trainer.take_up()


def _kept(state: TrainerState) -> dict[str, Any]:
    """What a trainer's state keeps by name; it is annotated as what it is made of."""
    return cast(dict[str, Any], state.stateful_callbacks)
