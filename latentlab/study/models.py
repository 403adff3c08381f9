"""The models of a run: loaded in the precision, and under the plan, that the flags ask for.

A checkpoint may bring a latent plan or none. `--plan` is for all that `--model` names; the spare
plan (`--steps`, `--k`) only for those that bring none, which under it are untrained latent
reasoners: the control that tells what training a reasoner adds to letting it take the steps.
"""

from collections.abc import Sequence

from latentlab.checkpoint import load
from latentlab.command import CommonConfig, PlannedConfig
from latentlab.console import note_once
from latentlab.errors import UserError
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan_text import read_plan


def load_models(
    config: CommonConfig,
    device: str,
    beside: Sequence[str] = (),
    named: Sequence[str] | None = None,
) -> list[Reasoner]:
    """Load the models that the flags name, then those to read beside them.

    Args:
        config: the flags.
        device: where to put the weights.
        beside: further models, which keep their own plans.
        named: the models that the plans of the flags are for; by default those of `--model`.

    Raises:
        UserError: a model cannot be loaded or cannot follow the plan, or a flag names a plan that
            none of them takes.
    """
    asked = read_plan(config.plan) if config.plan else None
    spare = read_plan(config.spare_plan) if config.spare_plan else None
    named = config.model if named is None else named
    found = [load(name, device, asked, config.dtype, spare) for name in named]
    if isinstance(config, PlannedConfig) and spare and all(one.brings_plan for one in found):
        raise UserError(
            "--steps and --k are for models that bring no latent plan, and all of these do; "
            "--plan replaces a plan"
        )
    for reasoner in found:
        _remark(reasoner, replaced=asked is not None)
    return found + [load(name, device, dtype=config.dtype) for name in beside]


def _remark(reasoner: Reasoner, replaced: bool) -> None:
    """Say so where a model does not follow a plan of its own."""
    name, plan = reasoner.name, reasoner.plan
    if reasoner.brings_plan and replaced:
        note_once(f"{name}: the plan of the flags replaces the one that it brings")
    elif not reasoner.brings_plan and plan.steps:
        note_once(
            f"{name} brings no latent plan: what takes these latent steps is an untrained model"
        )
    elif not reasoner.brings_plan:
        note_once(f"{name} brings no latent plan and takes no latent steps; --plan gives it one")
