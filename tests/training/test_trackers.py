"""A tracker that cannot be reached is told in one line, and nothing is trained."""

import pytest
from transformers import TrainerCallback
from transformers.integrations import integration_utils

from latentlab.errors import UserError
from latentlab.training.curriculum import train
from latentlab.training.metrics import METRICS_FILE


@pytest.fixture(autouse=True)
def stranger(monkeypatch, tmp_path):
    """Nobody is logged in anywhere."""
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_one_that_knows_no_login_is_refused_before_anything_is_made(short, tmp_path):
    pytest.importorskip("wandb")
    with pytest.raises(UserError, match="report_to: wandb knows no login: run wandb login"):
        train(short(report_to=("wandb",)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_one_whose_package_is_missing_is_refused_before_anything_is_made(
    short, tmp_path, monkeypatch
):
    monkeypatch.setattr(integration_utils, "is_wandb_available", lambda: False)
    with pytest.raises(UserError, match=r"report_to: .*wandb"):
        train(short(report_to=("wandb",)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_one_that_cannot_begin_ends_the_training_before_its_first_update(
    short, tmp_path, monkeypatch
):
    class AbacusCallback(TrainerCallback):
        def on_train_begin(self, *_: object, **__: object) -> None:
            raise ConnectionError("no beads\nask for some")

    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "abacus", AbacusCallback)
    with pytest.raises(UserError, match=r"^report_to: Abacus cannot begin: no beads ask for some$"):
        train(short(report_to=("abacus",)), tmp_path / "run")
    assert not (tmp_path / "run" / METRICS_FILE).exists()
