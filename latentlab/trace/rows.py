"""Rows of recorded answers: one for each latent step, and one for each way to run the model.

Everything is measured by the instruments that also make the tables (attention, ablation, probes and
lens), so that a number in the viewer is the same as in a table. This module only joins them.
"""

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pandas as pd
from jaxtyping import Float
from torch import Tensor

from latentlab.ablate import rows as ablate
from latentlab.ablate.applicable import Applicable
from latentlab.ablate.config import AblateConfig
from latentlab.attention.config import AttentionConfig
from latentlab.attention.steps import step_rows
from latentlab.backbones.sight import seen_part
from latentlab.data import Example, Examples, readable
from latentlab.errors import UserError
from latentlab.probe.features import labels_of
from latentlab.probe.probes import FOLDS, cross_validated
from latentlab.reasoner import Reasoner
from latentlab.reasoning.sources import Bank
from latentlab.study.asked import load_for
from latentlab.study.instrument import Subject
from latentlab.study.references import reference_bank
from latentlab.trace.config import TraceConfig
from latentlab.vocabulary import Replacement

STEP, ANSWER = "step", "answer"
"""Kinds of rows, in the column `record`."""

LOOKED = (
    "step",
    "query",
    "grid_rows",
    "grid_columns",
    "patch_attention",
    "picks",
    "cell_read",
    "cell_target",
    *(f"{n}:{keys}/text" for keys in ("image", "reinserted") for n in ("ratio", "uniform_ratio")),
    *(f"{n}:{keys}" for keys in ("image", "reinserted") for n in ("focus", "uniform_focus")),
)
"""Columns taken over from the attention instrument (docs/attention.md)."""


@dataclass(frozen=True)
class PreparedTrace:
    """The knock-outs of one model."""

    flags: AblateConfig
    """What is done, as flags of the ablation."""

    applicable: Applicable
    """What of them applies."""


def prepare(config: TraceConfig, subject: Subject) -> PreparedTrace | None:
    """Look for what would go wrong in the middle of a run.

    Raises:
        UserError: the model takes no latent steps, or its steps do not fit the data.
    """
    reasoner = subject.reasoner
    if not reasoner.plan.steps or reasoner.plan.in_words:
        raise UserError(f"{reasoner.name} takes no latent steps, so there is nothing to record")
    flags = knock_outs(config, reasoner)
    # A part that the model does not have gets no arm.
    found = ablate.prepare(flags, replace(subject, lacks=lambda message: None))
    return None if found is None else PreparedTrace(flags, found)


def rows_of(config: TraceConfig, subject: Subject, prepared: PreparedTrace) -> pd.DataFrame:
    """Record one model's answers.

    Args:
        config: `data`, `batch_size`, `seed`, `reference` and `tokens` are read.
        subject: a model with latent steps, what to ask it, and other examples, which the knock-outs
            take deviations and donors from.
        prepared: the knock-outs.

    Returns:
        Rows with `model, data, example, domain, topic, hops, question_type` and `record`:

        - `step`: one per example and latent step, with the columns `LOOKED`; `seen` (left, top,
          right and bottom of the part of the picture that the grid covers, in pixels); the tokens
          that the logit lens ranks first in the latent text as it is fed in (`lens_tokens`,
          `lens_probs`); and what a probe reads there (`probe_place`, `probe_target`, its
          `probe_label`, whether that is right in `probe_correct`, over `probe_n` examples);
        - `answer`: one per example and arm, as `study.run.run_arms` returns them, with
          `option_probs` and `necessity` (`ablate.necessity`).
    """
    answers = ablate.rows_of(prepared.flags, subject, prepared.applicable)
    probabilities = [option_probabilities(values) for values in answers["option_logprobs"]]
    answers = answers.assign(record=ANSWER, option_probs=pd.Series(probabilities, answers.index))
    steps = _step_rows(config, subject.reasoner, subject.examples)
    whole = {"step": "Int64", "choice": "Int64", "probe_n": "Int64"}
    typed = {"probe_correct": "boolean", "correct": "boolean", "flip": "boolean", **whole}
    rows = pd.concat([steps, answers], ignore_index=True)
    return rows.astype({name: kind for name, kind in typed.items() if name in rows})


def knock_outs(config: TraceConfig, reasoner: Reasoner) -> AblateConfig:
    """What is done to the latents of every example, as flags of the ablation."""
    empty: tuple[Replacement, ...] = ("placeholder",) if reasoner.placeholder_id is not None else ()
    return AblateConfig(
        model=config.model,
        data=config.data,
        limit=config.limit,
        batch_size=config.batch_size,
        seed=config.seed,
        drop=("latent_text", "latent_vision", "latent"),
        replace=(*empty, "other", "noise"),
        part=("latent",),
    )


def option_probabilities(option_logprobs: Float[np.ndarray, " options"]) -> list[float]:
    """The probability of each option among all options, of their log-likelihoods in nats."""
    values = np.asarray(option_logprobs, float)
    if not len(values):
        return []
    weights = np.exp(values - values.max())
    return [float(p) for p in weights / weights.sum()]


def _step_rows(config: TraceConfig, reasoner: Reasoner, examples: Examples) -> pd.DataFrame:
    """Attention, lens and probe of every step of every example."""
    looking_at = AttentionConfig(
        model=config.model, data=config.data, batch_size=config.batch_size, seed=config.seed
    )
    rows = step_rows(looking_at, reasoner, examples)
    about = ["model", "data", "example", "domain", "topic", "hops", "question_type"]
    rows = rows[[*about, *LOOKED]]
    wanted = max(len(examples), config.reference)
    known = [examples[i] for i in range(len(examples))]
    names = {example.id for example in known}
    others = (one for one in readable(load_for(config, limit=wanted)) if one.id not in names)
    known += islice(others, wanted - len(known))
    bank = reference_bank(reasoner, known, config.batch_size, config.seed)
    parts = [
        _lens(reasoner, bank, len(examples), step, config.tokens).join(
            _probe(bank, known, step, config.seed)
        )
        for step in range(reasoner.plan.steps)
    ]
    images = [examples[i].image for i in range(len(examples))]
    backbone = reasoner.backbone
    seen = pd.Series([None if i is None else list(seen_part(backbone, i)) for i in images])
    columns = pd.concat([part.assign(seen=seen) for part in parts])
    return rows.merge(columns, on=["example", "step"], how="left").assign(record=STEP)


def _lens(reasoner: Reasoner, bank: Bank, n: int, step: int, tokens: int) -> pd.DataFrame:
    """The first tokens that the logit lens reads off the latent text, as it is fed in.

    Latent text went through the final norm already, so its unembedding is the lens.
    """
    found = pd.DataFrame({"example": list(bank.examples[:n]), "step": step + 1})
    if bank.text is None:
        return found.assign(lens_tokens=None, lens_probs=None)
    logits: Tensor = reasoner.backbone.logits(bank.text[:n, step])
    kept = min(tokens, logits.shape[-1])
    top = logits.float().softmax(-1).topk(kept)
    decode = reasoner.prompter.tokenizer.decode
    texts = [[str(decode([token])) for token in row] for row in top.indices.tolist()]
    return found.assign(lens_tokens=pd.Series(texts), lens_probs=pd.Series(top.values.tolist()))


def _probe(bank: Bank, examples: list[Example], step: int, seed: int) -> pd.DataFrame:
    """What linear probes read off the latent of a step, each fitted on other examples.

    The target is the object of the step's own hop, or without traces the answer, where it comes
    back often enough.
    """
    lines = pd.DataFrame(index=range(len(examples)))
    labels, _ = labels_of(examples)
    target = next((name for name in (f"object {step + 1}", "answer") if name in labels), None)
    if target is None or len(examples) < FOLDS:
        return lines
    if bank.text is not None:
        place, features = "latent_text", bank.text[:, step]
    elif bank.vision is not None:
        place, features = "latent_vision", bank.vision[:, step].mean(1)
    else:
        return lines
    codes, names = pd.factorize(np.asarray(labels[target], object))
    read = cross_validated(features.float().cpu().numpy(), codes[:, None], seed)[:, 0]
    return lines.assign(
        probe_place=place,
        probe_target=target,
        probe_label=np.asarray(names, object)[read],
        probe_correct=read == codes,
        probe_n=len(examples),
    )
