"""Trackers that a training reports to: what keeps one from being reached is told in one line.

transformers knows their names and packages. Whether one has been logged in to it only finds out
when a stage begins, each with an error of its own; Weights & Biases is asked before anything is
made.
"""

import os
from typing import Any

from transformers import TrainerCallback
from transformers.integrations.integration_utils import get_reporting_integration_callbacks

from latentlab.errors import UserError
from latentlab.training.config import TrainConfig

_WITHOUT_LOGIN = ("offline", "disabled", "dryrun")
"""Modes of Weights & Biases (`WANDB_MODE`) that need no account."""


def check_trackers(config: TrainConfig) -> None:
    """Refuse trackers that cannot be had, before anything is trained.

    Raises:
        UserError: transformers does not know one, its package is missing, or it knows no login.
    """
    try:
        for tracker in _trackers(config):
            tracker()
    except (ImportError, RuntimeError, ValueError) as error:
        raise UserError(f"report_to: {error}") from None
    if "wandb" in config.report_to and os.environ.get("WANDB_MODE") not in _WITHOUT_LOGIN:
        import wandb  # an optional package, which takes seconds

        if not wandb.login(prompt=False):
            raise UserError(
                "report_to: wandb knows no login: run wandb login, set WANDB_API_KEY, or set "
                "WANDB_MODE=offline"
            )


def tell_refusals(callbacks: list[TrainerCallback], config: TrainConfig) -> None:
    """Let trackers among a trainer's callbacks that cannot begin say so in one line."""
    kinds = tuple(_trackers(config))
    for tracker in (callback for callback in callbacks if isinstance(callback, kinds)):
        vars(tracker)["on_train_begin"] = _told(tracker)


def _told(tracker: TrainerCallback) -> Any:
    """How a tracker begins, with its errors as ours."""
    begin = tracker.on_train_begin

    def begun(*state: Any, **more: Any) -> Any:
        try:
            return begin(*state, **more)
        except UserError:
            raise
        except Exception as error:  # each tracker has its own
            name = type(tracker).__name__.removesuffix("Callback")
            why = str(error) or type(error).__name__
            raise UserError(f"report_to: {name} cannot begin: {why}") from error

    return begun


def _trackers(config: TrainConfig) -> list[type[TrainerCallback]]:
    """Classes of the trackers that are asked for."""
    named: Any = get_reporting_integration_callbacks
    found: list[type[TrainerCallback]] = named(list(config.report_to))
    return found
