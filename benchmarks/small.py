"""What the engine costs on an embedded model beside transformers itself, and what capture costs.

    python -m benchmarks.small

Small models take most of their time in Python and in starting operations, so this is where work
above the model shows. Three sides answer the same questions in turns, in one process: the engine,
the engine with the attention rows of all layers and heads kept, and the floor, which is
transformers alone. The floor words, tokenizes and pictures the same prompts and runs the same slots
in as many passes: the prompt, each step, each token of the answer, all options at once. It
multiplies by PyTorch's own layers, and in its one pass over options they see each other. What it
puts into a step's slots is the newest hidden state; nothing is picked, edited or kept.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from transformers import DynamicCache

from benchmarks.run import RESULTS, Flags, benchmark, start
from benchmarks.turns import spread
from latentlab import console
from latentlab.backbones.products import slowed
from latentlab.checkpoint import load
from latentlab.data import Example, load_data
from latentlab.prompts.template import worded
from latentlab.reasoner import Reasoner

STAGES = ("inputs", "prompt", "steps", "answer")
"""Prompts worded and pictures prepared; prompts run; latent steps; text and options."""

RATIOS = (("over_floor", "engine", "floor"), ("over_plain", "capture", "engine"))
"""Names of ratios, and of the sides that they compare."""


@dataclass(frozen=True, kw_only=True)
class SmallConfig(Flags):
    """Flags of the benchmark."""

    models: tuple[str, ...] = ("ivtlr", "relay")
    """Embedded models to ask."""

    data: str = "benchmark:hops=4"
    """What they are asked."""

    batch: tuple[int, ...] = (1, 8, 100)
    """Numbers of questions asked at once."""

    repeats: int = 15
    """Timed rounds."""

    out: Path = RESULTS / "small"
    """Folder of the results."""


Side = Callable[[], list[float]]
"""Answers all questions and returns when each stage began, and when the last ended."""


def engine(reasoner: Reasoner, examples: list[Example], layers: int = 0) -> list[float]:
    """Answer with the engine, with the attention of the first so many layers kept."""
    times = [time.process_time()]
    rollout = reasoner.rollout(capture_layers=range(layers))
    batch = reasoner.batch(examples)
    times.append(time.process_time())
    prefix = rollout.prefill(batch)
    times.append(time.process_time())
    state = rollout.reason(prefix)
    times.append(time.process_time())
    reasoner.decode(rollout, state, examples)
    return [*times, time.process_time()]


class Floor:
    """Transformers alone, with its own attention and masks, over the slots of the engine."""

    def __init__(self, reasoner: Reasoner, examples: list[Example]) -> None:
        """Take the model and the sizes of what the engine answers.

        Args:
            reasoner: a model that is used by nobody else: its attention is set to transformers'.
            examples: the questions.
        """
        self.examples, self.prompter, self.plan = examples, reasoner.prompter, reasoner.plan
        self.backbone: Any = reasoner.backbone
        self.model: Any = self.backbone.model
        rollout = reasoner.rollout()
        with torch.no_grad():
            answers = reasoner.decode(rollout, rollout(reasoner.batch(examples)), examples)
        self.tokens = max(answer.new_tokens for answer in answers)
        texts = [reasoner.prompter.format.answer_texts(one.choices) for one in examples]
        self.options = max(map(len, texts))
        longest = max(len(reasoner.prompter.answer_ids(text)) for row in texts for text in row)
        self.option_tokens = longest - 1  # the last predicts nothing
        slowed(self.model).set_attn_implementation("sdpa")

    def __call__(self) -> list[float]:
        """Run all passes; what is found is nobody's answer."""
        times = [time.process_time()]
        inputs = self._inputs()
        times.append(time.process_time())
        self.cache = DynamicCache(config=self.backbone.text_config)
        self.seen = inputs["attention_mask"]
        hidden = self._prompt(inputs)
        times.append(time.process_time())
        for _ in range(self.plan.steps):
            hidden = self._run(hidden[:, -1:].expand(-1, self.plan.k + int(self.plan.text), -1))
        times.append(time.process_time())
        self._answer(hidden)
        return [*times, time.process_time()]

    def _inputs(self) -> dict[str, Tensor]:
        """Prompts and pictures through tokenizer and image processor."""
        backbone, tokenizer, texts = self.backbone, self.prompter.tokenizer, []
        pictures = backbone.image_processor(
            images=[one.image for one in self.examples], return_tensors="pt"
        )
        merge = backbone.image_processor.merge_size**2
        for one, grid in zip(self.examples, pictures["image_grid_thw"].tolist(), strict=True):
            content = [{"type": "image"}, {"type": "text", "text": one.question}]
            text = worded(tokenizer, content, backbone.image_slot)
            count = grid[0] * grid[1] * grid[2] // merge
            texts.append(text.replace(backbone.image_token, backbone.image_token * count, 1))
        padded = {"padding": True, "padding_side": "left", "return_tensors": "pt"}
        return {**tokenizer(texts, add_special_tokens=False, **padded), **pictures}

    def _prompt(self, inputs: dict[str, Tensor]) -> Tensor:
        """Prompts with their pictures, through vision tower and decoder."""
        embeds = self.model.get_input_embeddings()(inputs["input_ids"])
        seen = self.model.model.visual(inputs["pixel_values"], grid_thw=inputs["image_grid_thw"])
        where = (inputs["input_ids"] == self.model.config.image_token_id)[..., None]
        return self._run(embeds.masked_scatter(where.expand_as(embeds), seen.pooler_output), True)

    def _run(self, embeds: Tensor, first: bool = False) -> Tensor:
        """Run new positions over the cache."""
        if not first:
            self.seen = torch.cat([self.seen, self.seen.new_ones(embeds.shape[:2])], 1)
        positions = (self.seen.cumsum(-1) - 1)[:, -embeds.shape[1] :].clamp(min=0)
        output = self.model.model.language_model(
            inputs_embeds=embeds,
            position_ids=positions,
            attention_mask=self.seen,
            past_key_values=self.cache,
            use_cache=True,
        )
        hidden: Tensor = output.last_hidden_state
        return hidden

    def _answer(self, hidden: Tensor) -> None:
        """Greedy text, read back, and the likelihood of every option."""
        tokens, words = [], self.model.get_input_embeddings()
        for _ in range(self.tokens):
            tokens.append(self.model.lm_head(hidden[:, -1]).argmax(-1, keepdim=True))
            if len(tokens) < self.tokens:
                hidden = self._run(words(tokens[-1]))
        self.prompter.tokenizer.batch_decode(torch.cat(tokens, 1))
        ids = torch.zeros(len(self.seen), self.options * self.option_tokens, dtype=torch.long)
        hidden = (
            torch.cat([hidden[:, -1:], self._run(words(ids))], 1) if self.option_tokens else hidden
        )
        scores = self.model.lm_head(hidden).log_softmax(-1)
        scores[:, 1:].gather(-1, ids[..., None]).sum(1).tolist()


@torch.no_grad()
def measure(name: str, count: int, config: SmallConfig) -> list[dict[str, Any]]:
    """Time all sides in turns; one row per side, stage and repeat."""
    reasoner = load(name)
    examples = list(load_data(config.data, limit=count))
    floor = Floor(load(name), examples)
    sides: dict[str, Side] = {
        "engine": lambda: engine(reasoner, examples),
        "capture": lambda: engine(reasoner, examples, reasoner.backbone.n_layers),
        "floor": floor,
    }
    rows: list[dict[str, Any]] = []
    for repeat in range(config.repeats + 2):
        order = list(sides)[repeat % len(sides) :] + list(sides)[: repeat % len(sides)]
        for side in order:
            times = sides[side]()
            spans = [b - a for a, b in pairwise(times)]
            for stage, seconds in zip(STAGES, spans, strict=True):
                row = {"model": name, "batch": count, "side": side, "stage": stage}
                rows.append({**row, "repeat": repeat, "milliseconds": 1e3 * seconds / count})
    return [row for row in rows if row["repeat"] > 1]  # the first rounds warm up


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Milliseconds a question of each stage and in all, and how many times those of the floor.

    Capture is set beside the engine without it. Medians and ranges over repeats.
    """
    keys = ["model", "batch", "side", "repeat"]
    whole = rows.groupby(keys, sort=False)["milliseconds"].sum().reset_index()
    rows = pd.concat([whole.assign(stage="all"), rows])
    lines = []
    for (model, batch, stage), group in rows.groupby(["model", "batch", "stage"], sort=False):
        wide = group.pivot(index="repeat", columns="side", values="milliseconds")
        line: dict[str, Any] = {"model": model, "batch": batch, "stage": stage, "n": len(wide)}
        line |= {side: wide[side].median() for side in wide.columns}
        for name, above, below in RATIOS:
            line |= spread(name, wide[above] / wide[below])
        lines.append(line)
    return pd.DataFrame(lines)


def show(summary: pd.DataFrame) -> None:
    """Put the table on the screen."""
    columns = {
        **{name: name for name in ("model", "batch", "stage")},
        "engine": "ms a question",
        "floor": "transformers alone",
        "over_floor": "times",
        "over_plain": "with capture",
    }
    title = f"Embedded models; medians and range of {summary['n'].iloc[0]}"
    console.table(summary, columns, title)


def main(config: SmallConfig) -> None:
    """Run the benchmark."""
    asked = [(name, count) for name in config.models for count in config.batch]

    def measured() -> pd.DataFrame:
        return pd.DataFrame([row for name, count in asked for row in measure(name, count, config)])

    benchmark("small", config, measured, summarise, lambda _, summary: show(summary))


if __name__ == "__main__":
    start(SmallConfig, main)
