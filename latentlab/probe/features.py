"""What probes read: activations of a model by place, step and layer, and the labels to read there.

One pass over the examples collects everything, so that all measures speak about the same runs: what
each latent step is given and what happens at its slot, the last position of the prompt and the
answer marker; and for the similarities the same number of ordinary tokens of each example.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from sklearn.feature_extraction.text import CountVectorizer
from torch import Tensor, nn

from latentlab.data.example import Example
from latentlab.draws import example_generator
from latentlab.probe.probes import INPUT, ProbeSite
from latentlab.reasoner import Reasoner
from latentlab.reasoning.activations import Site, record
from latentlab.reasoning.decode import append_text
from latentlab.reasoning.interventions import Replace
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.sources import Placeholder
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind
from latentlab.study.batches import Numbered, over_batches

WORDS = 2000
"""Most frequent words and pairs of words that the question-only probe may count."""

PER_LABEL = 5
"""Examples that a label of unknown meaning has to have on average for probes to read it."""


@dataclass(frozen=True, eq=False)
class Collected:
    """Activations of some examples, in their order."""

    features: dict[ProbeSite, Float[np.ndarray, "examples hidden"]]
    """What probes read."""

    series: dict[str, Float[np.ndarray, "examples steps hidden"]]
    """One vector a step, and the same number of vectors of ordinary tokens: `latent_text`;
    `latent_vision` (the last patch of a step); after the final norm, as latent text is, `words` (of
    the written rationale), `prompt` (its last positions) and `placeholder` (slots that hold it);
    and `patches` (picked at random, as they are fed in)."""


@torch.no_grad()
def collect(
    reasoner: Reasoner,
    examples: Sequence[Example],
    layers: Sequence[int] | None = None,
    batch_size: int = 64,
    seed: int = 0,
) -> Collected:
    """Run a model on examples and keep its activations.

    Args:
        reasoner: a model with latent steps.
        examples: what to ask it.
        layers: which layers; None means all.
        batch_size: examples per forward pass; it changes nothing.
        seed: seed of random picks, and of the patches that are compared with the picked ones.
    """
    rollout = reasoner.rollout(seed=seed)

    def of_batch(
        numbered: Numbered,
    ) -> tuple[dict[ProbeSite, Tensor], dict[str, Tensor], list[int]]:
        asked = [example for _, example in numbered]
        prompts = reasoner.batch(asked)
        with record(rollout, layers) as kept, _final_states(rollout) as states:
            prefix = rollout.prefill(prompts)
            state = rollout.reason(prefix)
            state.check_finite()
            append_text(rollout, state.fork(), reasoner.prompter.marker_ids)
        read = _features(rollout, state, kept)
        others = _token_series(reasoner, rollout, prefix, asked, states)
        compared = _latent_series(state, seed) | others
        return (
            {spot: values.float().cpu() for spot, values in read.items()},
            {name: values.float().cpu() for name, values in compared.items()},
            [index for index, _ in numbered],
        )

    features: dict[ProbeSite, list[Tensor]] = defaultdict(list)
    series: dict[str, list[Tensor]] = defaultdict(list)
    order: list[int] = []
    name = f"{reasoner.name}: activations"
    for read, compared, indices in over_batches(examples, batch_size, of_batch, name):
        for spot, values in read.items():
            features[spot].append(values)
        for kind, values in compared.items():
            series[kind].append(values)
        order += indices
    back = torch.tensor(order).argsort()
    gathered = {spot: torch.cat(parts)[back].numpy() for spot, parts in features.items()}
    gathered[ProbeSite("question", 0, INPUT)] = _word_counts(reasoner, examples)
    joined = {name: torch.cat(parts) for name, parts in series.items()}
    # Ordinary tokens that some batch lacks cannot be compared over all examples.
    whole = {name: all[back].numpy() for name, all in joined.items() if len(all) == len(order)}
    return Collected(gathered, whole)


def labels_of(examples: Sequence[Example]) -> tuple[dict[str, list[str]], bool]:
    """What may be read off an activation, as the label of every example.

    Returns:
        The labels by target, and whether all examples have traces. With traces: `object h` and
        `cell h` for hops 0 (the start) to the most that are asked for; the walk of a shorter
        question goes on. In any case `answer`, `option` (its letter), `domain`, `topic` and `hops`,
        as far as they vary and, without traces, the same label comes back often enough.
    """
    labels: dict[str, list[str]] = {}
    traces = [example.trace for example in examples if example.trace and example.hops]
    traced = len(traces) == len(examples)
    if traced:
        for hop in range(max(example.hops or 0 for example in examples) + 1):
            labels[f"object {hop}"] = [trace.at(hop) for trace in traces]
            labels[f"cell {hop}"] = [str(trace.cells[hop]) for trace in traces]
        labels["answer"] = [example.answer for example in examples]
    others = {
        "answer": [example.answer for example in examples],
        "option": [example.letter for example in examples],
        "domain": [example.domain for example in examples],
        "topic": [f"{one.domain}/{one.topic}" if one.topic else "" for one in examples],
        "hops": ["" if example.hops is None else str(example.hops) for example in examples],
    }
    for name, values in others.items():
        if name not in labels and len(set(values)) * PER_LABEL <= len(values):
            labels[name] = values
    return {name: values for name, values in labels.items() if len(set(values)) > 1}, traced


@contextmanager
def _final_states(rollout: Rollout) -> Iterator[dict[int, Float[Tensor, "batch queries hidden"]]]:
    """Keep the states after the final norm of every pass, by the rollout's pass_index."""
    states: dict[int, Tensor] = {}

    def hook(module: nn.Module, inputs: Any, output: Any) -> None:
        states[rollout.pass_index] = output.last_hidden_state

    handle = rollout.backbone.decoder.register_forward_hook(hook)
    try:
        yield states
    finally:
        handle.remove()


def _features(
    rollout: Rollout, state: Trajectory, kept: Mapping[Site, Tensor]
) -> dict[ProbeSite, Float[Tensor, "batch hidden"]]:
    """Everything that probes read of one batch."""
    found: dict[ProbeSite, Tensor] = {}
    for number, latent in enumerate(state.latents):
        if latent.text is not None:
            found[ProbeSite("latent_text", number + 1, INPUT)] = latent.text
        if latent.vision is not None:
            real = torch.ones_like(latent.vision[..., :1])
            if latent.picks is not None:
                real = (latent.picks >= 0)[..., None].to(real)
            mean = (latent.vision * real).sum(1) / real.sum(1)
            found[ProbeSite("latent_vision", number + 1, INPUT)] = mean
    last = rollout.plan.steps + 1
    names = {0: "prompt", last: "answer"}
    for site, values in sorted(kept.items()):
        found[ProbeSite(names.get(site.pass_index, "slot"), site.pass_index, site.layer)] = values
    return found


def _latent_series(state: Trajectory, seed: int) -> dict[str, Float[Tensor, "batch steps hidden"]]:
    """The latents of one batch, and as many patches picked at random."""
    found: dict[str, Tensor] = {}
    texts = [latent.text for latent in state.latents if latent.text is not None]
    # The last slot always holds a patch: padding of `select="all"` goes first.
    patches = [latent.vision[:, -1] for latent in state.latents if latent.vision is not None]
    if texts:
        found["latent_text"] = torch.stack(texts, dim=1)
    if patches:
        found["latent_vision"] = torch.stack(patches, dim=1)
        draws = [
            torch.randint(int(count), (len(patches),), generator=example_generator(e, seed, "like"))
            for e, count in zip(state.batch.examples, state.patches.count, strict=True)
        ]
        found["patches"] = state.patches.gather(torch.stack(draws).to(state.hidden.device))
    return found


def _token_series(
    reasoner: Reasoner,
    rollout: Rollout,
    prefix: Trajectory,
    examples: Sequence[Example],
    states: Mapping[int, Float[Tensor, "batch queries hidden"]],
) -> dict[str, Float[Tensor, "batch steps hidden"]]:
    """States after the final norm at ordinary tokens, as many as there are latent steps."""
    steps = rollout.plan.steps
    found: dict[str, Tensor] = {}
    if bool(prefix.batch.attention_mask[:, -steps:].all()):
        found["prompt"] = states[0][:, -steps:]
    text = reasoner.prompter.continuation(examples, 0)
    if text.ids.shape[1] >= steps and bool((text.kinds[:, :steps] == Kind.RATIONALE).all()):
        device = prefix.hidden.device
        with _final_states(rollout) as written:
            words, kinds = text.ids[:, :steps].to(device), text.kinds[:, :steps].to(device)
            rollout.extend(prefix.fork(), words, kinds)
        found["words"] = written[steps + 1]
    if reasoner.placeholder_id is not None:
        with _final_states(rollout) as empty:
            rollout.reason(prefix, [Replace("latent", Placeholder())])
        found["placeholder"] = torch.stack([empty[t][:, -1] for t in range(1, steps + 1)], dim=1)
    return found


def _word_counts(
    reasoner: Reasoner, examples: Sequence[Example]
) -> Float[np.ndarray, "examples words"]:
    """How often each word and pair of neighbours stands in a question as the model is asked it."""
    questions = [reasoner.prompter.format.question(example) for example in examples]
    counter = CountVectorizer(
        lowercase=False, token_pattern=r"\w+", ngram_range=(1, 2), max_features=WORDS
    )
    counts: Float[np.ndarray, "examples words"] = counter.fit_transform(questions).toarray()
    return counts.astype(np.float32)
