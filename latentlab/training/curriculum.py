"""The whole curriculum: stage after stage, each evaluated, all of it resumable.

A training lives in one folder: `config.yaml`, `metrics.jsonl` (losses and held-out accuracies),
`checkpoints/` while a stage runs, one folder of weights per finished stage and `final/`. Started
again, it skips what is finished and goes on inside the stage that is not.
"""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import yaml
from peft import LoraConfig as PeftLoraConfig
from peft import get_peft_model

from latentlab.checkpoint import load, save
from latentlab.console import note
from latentlab.data import load_data
from latentlab.data.benchmark import Benchmark, BenchmarkConfig
from latentlab.errors import UserError
from latentlab.measures.statistics import accuracy_interval
from latentlab.reasoner import Reasoner
from latentlab.study import Arm, run_arms
from latentlab.training.config import StageConfig, TrainConfig
from latentlab.training.objective import Objective, freeze
from latentlab.training.stage_data import Collator, StageData
from latentlab.training.tiny import TinyConfig, tiny_reasoner
from latentlab.training.trainer import append_metrics, train_stage

LORA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
"""The seven projections that the published training adapts."""


def train(config: TrainConfig, folder: Path) -> Path:
    """Run a training, or what is left of it.

    Args:
        config: what to train.
        folder: where it lives.

    Returns:
        The folder of the finished model.

    Raises:
        UserError: the folder holds another training, or a stage's data cannot be had.
    """
    _claim(config, folder)
    final = folder / "final"
    if final.is_dir():
        return final
    last: Path | None = None
    for number, stage in enumerate(config.stages):
        finished = folder / stage.name
        if not finished.is_dir():
            reasoner = _start(config, last)
            _run_stage(reasoner, config, number, folder)
            shutil.rmtree(folder / "checkpoints" / stage.name, ignore_errors=True)
        last = finished
    assert last is not None
    reasoner = load(str(last))
    reasoner.name = config.name
    return _publish(reasoner, final, config.save_dtype)


def _run_stage(reasoner: Reasoner, config: TrainConfig, number: int, folder: Path) -> None:
    """Train one stage, measure it on held-out examples, and save it."""
    stage = config.stages[number]
    model = reasoner.backbone.model
    if config.freeze_vision:
        freeze(reasoner.backbone.vision)
    if config.lora is not None:
        adapters = get_peft_model(
            model,
            PeftLoraConfig(
                r=config.lora.rank,
                lora_alpha=config.lora.alpha,
                lora_dropout=config.lora.dropout,
                target_modules=LORA_TARGETS,
            ),
        )
    started, cpu = time.time(), time.process_time()
    note(f"{config.name}: stage {stage.name}, {stage.updates} updates")
    model.train()
    objective = Objective(reasoner)
    data = StageData(stage_examples(stage, config.seed, number), stage, config.seed)
    train_stage(objective, config, stage, data, Collator(reasoner, stage.rationale), folder)
    model.eval()
    if config.lora is not None:
        adapters.merge_and_unload()
    reasoner.plan = config.plan.replace(steps=stage.latent_steps)
    metrics = held_out(reasoner, config)
    append_metrics(
        folder / "metrics.jsonl",
        {
            "stage": stage.name,
            "update": stage.updates,
            "held_out": metrics,
            "seconds": round(time.time() - started, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
        },
    )
    summary = ", ".join(f"{name} {value['accuracy']:.3f}" for name, value in metrics.items())
    note(f"{config.name}: stage {stage.name} done, held-out {summary}")
    reasoner.plan = config.plan if number == len(config.stages) - 1 else reasoner.plan
    _publish(reasoner, folder / stage.name, "float32")


def held_out(reasoner: Reasoner, config: TrainConfig) -> dict[str, dict[str, float]]:
    """Strict held-out accuracy in all and by domain and number of hops, on the validation split."""
    examples = load_data(config.eval_data, "validation", config.seed, config.eval_examples)
    rows = run_arms(reasoner, examples, [Arm()], config.eval_data, batch_size=128)
    groups = {"all": rows} | {
        f"{domain or 'data'}/{hops}": group
        for (domain, hops), group in rows.groupby(["domain", "hops"], dropna=False)
    }
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


def stage_examples(stage: StageConfig, seed: int, number: int) -> Any:
    """Training examples of a stage; a generated source makes as many as the stage consumes."""
    examples = load_data(stage.data, "train", seed * 1000 + number)
    if isinstance(examples, Benchmark):
        values = {**vars(examples.config), "size": stage.updates * stage.batch_size}
        return Benchmark(BenchmarkConfig(**values))
    if not any(examples[i].rationale for i in range(min(8, len(examples)))):
        raise UserError(f"the data {stage.data!r} has no rationales to train on")
    return examples


def _start(config: TrainConfig, last: Path | None) -> Reasoner:
    """Return the model a stage begins with: the last stage's, or the initial one."""
    if last is not None:
        reasoner = load(str(last), plan=config.plan)
    elif isinstance(config.init, TinyConfig):
        reasoner = tiny_reasoner(config.plan, config.init, config.seed)
    else:
        reasoner = load(config.init, plan=config.plan)
    reasoner.name = config.name
    return reasoner


def _claim(config: TrainConfig, folder: Path) -> None:
    """Make the folder this training's, or refuse one that is another's."""
    values = json.loads(json.dumps(config.to_dict()))
    path = folder / "config.yaml"
    if path.is_file():
        if yaml.safe_load(path.read_text()) != values:
            raise UserError(f"{folder} holds another training; choose another --out or remove it")
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty and holds no training; choose another --out")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values, sort_keys=False))


def _publish(reasoner: Reasoner, folder: Path, dtype: str) -> Path:
    """Save under a temporary name, then rename: a folder that exists is complete."""
    temporary = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    save(reasoner, temporary, dtype)
    temporary.rename(folder)
    return folder
