"""How much what follows the latents attends to them: the rows of the answer-to-latent readout.

The latent steps are run as ever; then the answer marker and each option are put after them (teacher
forcing), with attention weights that are part of the graph. Only this last pass is differentiated:
whatever the answer attends to the latents with is in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from latentlab.attention import answer_mass as measures
from latentlab.attention.config import AttentionConfig
from latentlab.attention.modes import EDITS, Columns, identity
from latentlab.attention.summary import AFTER
from latentlab.backbones.attention import differentiable
from latentlab.data import Example, Examples
from latentlab.measures.summary import ALL
from latentlab.reasoner import Reasoner
from latentlab.reasoning.decode import OptionText
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import GROUPS, Kind, attention_mask
from latentlab.study.batches import Numbered, over_batches
from latentlab.vocabulary import LATENT_PARTS, LatentPart, VisionRun


def has_readout(reasoner: Reasoner) -> bool:
    """Whether a model has latents that its answer follows."""
    return reasoner.plan.steps > 0 and not reasoner.plan.in_words


@torch.no_grad()
def readout_rows(
    config: AttentionConfig, reasoner: Reasoner, examples: Examples, vision: VisionRun = "own"
) -> pd.DataFrame:
    """Measure how much the answer of one model attends to its latents.

    Args:
        config: `option`, `data`, `batch_size` and `seed` are read.
        reasoner: a model with latent steps (`has_readout`).
        examples: what to ask it; those without an answer are left out.
        vision: see `steps.step_rows`.

    Returns:
        One row per example over all layers and one for each layer, in the order of the examples
        (docs/attention.md lists the columns).
    """

    def of_batch(numbered: Numbered) -> list[pd.DataFrame]:
        known = [(index, example) for index, example in numbered if example.answer]
        if not known:
            return []
        asked = [example for _, example in known]
        prompts = reasoner.batch(asked)
        rollout = reasoner.rollout(seed=config.seed)
        state = rollout.reason(rollout.prefill(prompts), EDITS[vision])
        state.check_finite()
        head = {
            "order": [index for index, _ in known],
            **identity(config, reasoner, asked, vision),
            "step": reasoner.plan.steps + 1,
            "query": AFTER,
            "heads": ALL,
        }
        answered = answer_pass(reasoner, rollout, state, asked, config.option == "likeliest")
        return [pd.DataFrame({**head, **columns}) for columns in answered.columns()]

    name = f"{reasoner.name}: answers"
    parts = list(chain(*over_batches(examples, config.batch_size, of_batch, name)))
    if not parts:
        return pd.DataFrame()
    frame = pd.concat(parts).sort_values("order", kind="stable", ignore_index=True)
    return frame.drop(columns="order").astype({"hops": "Int64", "correct_likelihood": "boolean"})


@dataclass(frozen=True, eq=False)
class AnswerPass:
    """The pass that scores the options of a batch: one row an option, all queries and keys."""

    weights: Sequence[Float[Tensor, "rows heads queries keys"]]
    """Attention in each layer."""

    gradients: Sequence[Float[Tensor, "rows heads queries keys"]]
    """Gradient of the log-odds of the option that is read with respect to it, in each layer."""

    asks: Bool[Tensor, "rows queries"]
    """Which queries count: those of marker and option but its end token, which asks for nothing."""

    visible: Bool[Tensor, "rows queries keys"]
    """What each query may attend to."""

    kinds: Int[Tensor, "rows keys"]
    """The `Kind` of every key."""

    own: Int[Tensor, " batch"]
    """The row of the option that is read, of each example."""

    several: Bool[Tensor, " batch"]
    """Whether an example has other options, without which there are no log-odds."""

    right: Sequence[bool | None]
    """Whether the likeliest option is the answer; None without other options."""

    def columns(self) -> Iterator[Columns]:
        """The readout over all layers, then of each.

        Yields:
            `layers`, `correct_likelihood`, and for each part P of the latents `answer_mass:P`,
            `answer_uniform:P`, `answer_gradient:P` (nats) and `answer_share:P`; of layer 0 also
            `reward`. Missing where nothing is of that part; the last two also without log-odds.
        """
        layers = range(len(self.weights))
        for chosen in (layers, *([layer] for layer in layers)):
            found: Columns = {"layers": str(chosen[0]), "correct_likelihood": self.right}
            for part in LATENT_PARTS:
                found |= {f"{name}:{part}": v for name, v in self._read(chosen, part).items()}
            if chosen is layers:
                found["layers"] = ALL
            elif chosen == [0]:
                found["reward"] = found["answer_mass:latent"]
            yield found

    def _read(self, layers: Sequence[int], part: LatentPart) -> Columns:
        """What some layers say of one part of the latents: means of masses, sums of products."""
        kinds = torch.tensor([int(kind) for kind in GROUPS[part]], device=self.kinds.device)
        keys = torch.isin(self.kinds, kinds)
        asks, latents = self.asks[self.own], keys[self.own]
        masses = [measures.mean_mass(self.weights[i][self.own], asks, latents) for i in layers]
        uniform = measures.uniform_mass(self.visible[self.own], asks, latents)
        gradient = self._summed(layers, keys, sized=False)
        size = self._summed(layers, keys, sized=True)
        whole = self._summed(layers, torch.ones_like(keys), sized=True)
        there = latents.any(-1)
        found = {
            "answer_mass": (torch.stack(masses).mean(0), there),
            "answer_uniform": (uniform, there),
            "answer_gradient": (gradient, there & self.several),
            "answer_share": (size / whole, there & self.several),
        }
        return {
            name: values.double().masked_fill(~known, torch.nan).cpu().numpy()
            for name, (values, known) in found.items()
        }

    def _summed(
        self, layers: Sequence[int], keys: Bool[Tensor, "rows keys"], sized: bool
    ) -> Float[Tensor, " batch"]:
        """Attention times gradient on some keys, or its size, over all options of an example."""
        sums = torch.zeros(len(keys), dtype=torch.float64, device=keys.device)
        for layer in layers:
            cells = self.weights[layer] * self.gradients[layer]
            sums += measures.on_keys(cells.abs() if sized else cells, self.asks, keys)
        return sums.view(len(self.own), -1).sum(-1)


def answer_pass(
    reasoner: Reasoner,
    rollout: Rollout,
    state: Trajectory,
    asked: Sequence[Example],
    likeliest: bool = False,
) -> AnswerPass:
    """Score the options of a batch, with gradients of the log-odds of one of them.

    Args:
        reasoner: the model.
        rollout: the engine that made the state.
        state: the latent steps' outcome; it stays as it was.
        asked: the batch's examples, each with its answer.
        likeliest: whether the option that the model finds likeliest is read instead of the answer.
    """
    prompter, device = reasoner.prompter, state.hidden.device
    texts = [prompter.format.answer_texts(e.choices) if e.choices else [e.answer] for e in asked]
    marker = prompter.marker_ids
    prefixes = [(marker, [int(Kind.ANSWER)] * len(marker))] * len(asked)
    text = OptionText.of(prefixes, [[prompter.answer_ids(t) for t in row] for row in texts], device)
    count = torch.tensor([len(row) for row in texts], device=device)
    exists = torch.arange(text.width, device=device) < count[:, None]
    gold = [e.choices.index(e.answer) if e.choices else 0 for e in asked]
    several = count > 1
    fork = state.repeat(text.width)
    with differentiable(rollout.backbone.decoder) as patterns:
        scores = text.logprobs(rollout.extend(fork, text.ids, text.kinds))
        best = scores.detach().masked_fill(~exists, -torch.inf).argmax(-1)
        option = best if likeliest else torch.tensor(gold, device=device)
        odds = measures.log_odds(scores[several], exists[several], option[several])
        weights = [patterns.weights[layer] for layer in sorted(patterns.weights)]
        gradients = torch.autograd.grad(odds.sum(), weights)
    told = zip(best.tolist(), gold, several.tolist(), strict=True)
    both_ways = rollout.backbone.both_ways
    mask = attention_mask(fork.kinds, text.ids.shape[1], rollout.table, both_ways)
    seen = torch.ones_like(weights[0][:, :1], dtype=torch.bool) if mask is None else mask
    return AnswerPass(
        weights=[weight.detach() for weight in weights],
        gradients=gradients,
        asks=torch.nn.functional.pad((text.kinds != Kind.PAD)[:, 1:], (0, 1)),
        visible=seen[:, 0],
        kinds=fork.kinds,
        own=torch.arange(len(asked), device=device) * text.width + option,
        several=several,
        right=[b == g if known else None for b, g, known in told],
    )
