"""The whole curriculum: stage after stage, each evaluated, all of it resumable.

A training lives in one folder: `config.yaml`, `metrics.jsonl` (losses and held-out accuracies),
`checkpoints/` while a stage runs, one folder of weights per finished stage and `final/`. Started
again, it skips what is finished and goes on inside the stage that is not. Of several processes the
first alone writes; all of them see the same folder.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
import yaml
from peft import PeftModel
from torch import nn

from latentlab.checkpoint import find_checkpoint, load, save
from latentlab.console import interval_text, note
from latentlab.data import Example, Examples
from latentlab.errors import UserError
from latentlab.files import held, told, write_text
from latentlab.measures.statistics import accuracy_interval
from latentlab.processes.devices import find_device
from latentlab.reasoner import Reasoner
from latentlab.study.by_method import run_own
from latentlab.study.provenance import RUN, Start, checkpoint_hash, provenance
from latentlab.training.adapters import add_adapters, freeze
from latentlab.training.checkpointing import checkpointed
from latentlab.training.config import CONFIG_FILE, TrainConfig, read_config
from latentlab.training.grouping import Ruler
from latentlab.training.held_out import held_out_examples, held_out_name, is_held_apart
from latentlab.training.metrics import METRICS_FILE, StageLog
from latentlab.training.objective import Objective
from latentlab.training.opened import check_data, stage_examples
from latentlab.training.processes import is_first, join, shared_out, wait
from latentlab.training.stage_data import Collator, StageData
from latentlab.training.start import check_words, initial
from latentlab.training.trackers import check_trackers
from latentlab.training.trainer import load_trained, train_stage

REHEARSED = 4
"""Examples of each stage that are tried before anything is trained."""


def train(config: TrainConfig, folder: Path, device: str = "auto") -> Path:
    """Run a training, or what is left of it.

    Args:
        config: what to train.
        folder: where it lives.
        device: where to compute, as `--device` says it.

    Returns:
        The folder of the finished model.

    Raises:
        UserError: the folder holds another training, a stage's data cannot be had or does not fit,
            the device cannot be used, or the loss is no longer a number.
    """
    started = Start()
    target = join(find_device(device))
    with held(folder) if is_first() else nullcontext():
        return _trained(config, folder, target, started)


def _trained(config: TrainConfig, folder: Path, target: torch.device, started: Start) -> Path:
    """The same, in a folder that this training has to itself."""
    begun = _is_begun(config, folder)
    final = folder / "final"
    if final.is_dir():
        return final
    check_data(config)
    check_trackers(config)
    if not begun:
        reasoner = _start(config, None, target)
        check_words(reasoner, config)
        _rehearse(reasoner, config)
    wait()  # all have looked at the folder
    if is_first() and not begun:
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / CONFIG_FILE, yaml.safe_dump(config.to_dict(), sort_keys=False))
    last: Path | None = None
    for number, stage in enumerate(config.stages):
        finished = folder / stage.name
        if not finished.is_dir():
            _run_stage(config, last, number, folder, target)
            wait()
        last = finished
    if is_first():
        _finish(config, str(last), final, started)
    wait()
    return final


def _finish(config: TrainConfig, last: str, final: Path, started: Start) -> None:
    """Keep the last stage's model as the finished one, with where it comes from."""
    shutil.rmtree(final.parent / "checkpoints", ignore_errors=True)
    reasoner = load(last, "cpu", dtype=config.held_dtype)
    with _complete(final) as fresh:
        save(reasoner, fresh, config.save_dtype)
        hashes = {config.name: checkpoint_hash(fresh)}
        with suppress(UserError):  # the initial model may be gone by now
            if config.model is None and isinstance(config.init, str):
                hashes["init"] = checkpoint_hash(find_checkpoint(config.init))
        record = provenance(config, "train", config.seed, hashes, started)
        (fresh / RUN).write_text(json.dumps(record, indent=2, allow_nan=False) + "\n")


def _run_stage(
    config: TrainConfig, last: Path | None, number: int, folder: Path, device: torch.device
) -> None:
    """Train one stage, measure it on held-out examples, and save it."""
    reasoner, adapters = _prepared(config, last, device)
    stage = config.stages[number]
    lengths = Ruler.of(reasoner, stage) if config.group_by_length else None
    data = StageData(_examples(config, number), stage, config.seed, lengths)
    stage = data.stage
    log = StageLog(folder / METRICS_FILE, stage.name)
    collator = Collator(reasoner, stage.rationale, config.max_tokens)
    checkpoints = folder / "checkpoints" / stage.name
    objective = Objective(reasoner, config.dtype)
    objective.train()
    with checkpointed(reasoner.backbone) if config.gradient_checkpointing else nullcontext():
        whole = train_stage(objective, config, stage, data, collator, checkpoints, log, device)
    if not whole:
        reasoner, adapters = _prepared(config, last, device)
        load_trained(Objective(reasoner), checkpoints)
    model: nn.Module = reasoner.backbone.model
    model.eval()
    if adapters is not None:
        adapters.merge_and_unload()
    reasoner.plan = config.plan.replace(steps=stage.latent_steps)
    metrics = held_out(reasoner, config)
    if not is_first():
        return
    log.write(stage.updates, held_out=metrics)
    overall = metrics["all"]
    percent = interval_text(overall["accuracy"], overall["low"], overall["high"])
    note(f"{config.name} {stage.name}: held-out accuracy {percent} %, n={overall['n']}")
    with _complete(folder / stage.name) as fresh:
        save(reasoner, fresh, config.held_dtype)
    shutil.rmtree(checkpoints, ignore_errors=True)


def _prepared(
    config: TrainConfig, last: Path | None, device: torch.device
) -> tuple[Reasoner, PeftModel | None]:
    """Return the model a stage trains, and its adapters if it has any."""
    reasoner = _start(config, last, device)
    if config.freeze_vision:
        freeze(reasoner.backbone.vision)
    if config.lora is None:
        return reasoner, None
    return reasoner, add_adapters(reasoner.backbone, config.lora, config.seed)


def held_out(reasoner: Reasoner, config: TrainConfig) -> dict[str, dict[str, float]]:
    """Strict held-out accuracy in all and by domain and number of hops, on the validation split."""
    examples = held_out_examples(config, config.eval_examples)

    def rows_of(share: Sequence[Example]) -> pd.DataFrame:
        return run_own(reasoner, share, held_out_name(config), batch_size=128)

    shares = shared_out(rows_of, examples)
    rows = shares[0] if len(shares) == 1 else pd.concat(shares, ignore_index=True)
    names = [
        f"{domain or 'data'}" + ("" if pd.isna(hops) else f"/{hops}")  # own data may not know them
        for domain, hops in zip(rows["domain"], rows["hops"], strict=True)
    ]
    by_name = rows.groupby(pd.Series(names, rows.index))
    groups = {"all": rows} | {str(name): group for name, group in by_name}
    metrics = {}
    for name, group in groups.items():
        interval = accuracy_interval(group["correct"].to_numpy())
        metrics[name] = {
            "n": interval.n,
            "accuracy": interval.mean,
            "low": interval.low,
            "high": interval.high,
        }
    return metrics


@torch.no_grad()
def _rehearse(reasoner: Reasoner, config: TrainConfig) -> None:
    """Take a few examples of every stage through it, and a few held-out ones through the plan.

    So what cannot work is told at once: not hours later, and before the folder is taken.

    Raises:
        UserError: an example lacks what the plan needs (an image, a trace, patches), or an answer.
    """
    for number, stage in enumerate(config.stages):
        data = StageData(_examples(config, number), stage, config.seed)
        few = range(min(REHEARSED, len(data)))
        items = [replace(data[i], latent_steps=stage.latent_steps) for i in few]
        Objective(reasoner)(**Collator(reasoner, stage.rationale, config.max_tokens)(items))
    examples = held_out_examples(config, min(REHEARSED, config.eval_examples))
    prompts = reasoner.prompter.batch(list(examples), config.plan)
    reasoner.rollout()(prompts.to(reasoner.backbone.device))


def _start(config: TrainConfig, last: Path | None, device: torch.device) -> Reasoner:
    """Return the model a stage begins with: the last stage's, or the initial one."""
    if last is not None:
        reasoner = load(str(last), str(device), config.plan, config.held_dtype)
    else:
        reasoner = initial(config, device)
    reasoner.name, reasoner.method = config.name, config.method
    return reasoner


def _examples(config: TrainConfig, number: int) -> Examples:
    """The examples of a stage, without those that are held out."""
    stage = config.stages[number]
    return stage_examples(stage, config.seed, number, is_held_apart(config, stage.data))


def _is_begun(config: TrainConfig, folder: Path) -> bool:
    """Whether the folder is this training's, and not a fresh one.

    Raises:
        UserError: it is something else's.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return False
    if not (folder / CONFIG_FILE).is_file():
        raise UserError(f"{folder} is there and holds no training; choose another --out")
    if read_config(folder / CONFIG_FILE) != config:
        raise UserError(f"{folder} holds another training; choose another --out or remove it")
    return True


@contextmanager
def _complete(folder: Path) -> Iterator[Path]:
    """Give a folder under a temporary name, then rename it: a folder that exists is complete."""
    fresh = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    yield fresh
    fresh.rename(folder)
