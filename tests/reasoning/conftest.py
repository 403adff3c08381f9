"""A rollout as one would first write it: one example, no cache, everything recomputed each step."""

import copy
from dataclasses import dataclass, field

import pytest
import torch
from torch import Tensor

from latentlab.data import Example
from latentlab.draws import example_generator
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan

LATENT = {"latent_text", "latent_vision"}
KINDS = {"image", "prompt", "rationale", "answer", *LATENT}


@dataclass
class Sequence:
    """A sequence that is run anew from its first position whenever something is asked of it."""

    embeds: list[Tensor]
    positions: list[Tensor]
    kinds: list[str]
    next_position: int
    latents: list[list[Tensor]] = field(default_factory=list)
    picks: list[list[int]] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)
    words: list[list[int]] = field(default_factory=list)
    hidden: Tensor | None = None

    def append(self, embed: Tensor, kind: str, offset: int) -> None:
        self.embeds.append(embed)
        self.kinds.append(kind)
        self.positions.append(torch.full_like(self.positions[0], self.next_position + offset))


class Naive:
    """The published algorithm over plain transformers modules with eager attention."""

    def __init__(self, reasoner: Reasoner) -> None:
        self.reasoner = reasoner
        self.model = copy.deepcopy(reasoner.backbone.model)
        self.model.set_attn_implementation("eager")
        self.decoder = getattr(self.model.model, "language_model", self.model.model)

    def prompt(self, example: Example, plan: LatentPlan) -> Sequence:
        batch = self.reasoner.prompter.batch([example], LatentPlan(steps=0))
        ids, image_id = batch.input_ids, self.reasoner.backbone.image_token_id
        embeds = self.model.get_input_embeddings()(ids)
        inner = self.model.model
        if example.image is not None and hasattr(inner, "visual"):
            grid = batch.pixels["image_grid_thw"]
            patches = inner.visual(batch.pixels["pixel_values"], grid_thw=grid).pooler_output
            embeds[ids == image_id] = patches
        elif example.image is not None:
            tokens = inner.get_image_tokens(batch.pixels["pixel_values"])
            embeds[ids == image_id] = self.model.get_input_embeddings()(tokens)[0]
        positions = torch.arange(ids.shape[1])[None]
        if plan.positions == "mrope" and hasattr(inner, "visual"):
            positions, _ = inner.get_rope_index(
                ids, (ids == image_id).int(), image_grid_thw=batch.pixels.get("image_grid_thw")
            )
            positions = positions[:, 0]
        kinds = ["image" if token == image_id else "prompt" for token in ids[0].tolist()]
        after = int(positions.max()) + 1
        return Sequence(list(embeds[0]), list(positions.T), kinds, after)

    def forward(self, sequence: Sequence, plan: LatentPlan) -> tuple[Tensor, Tensor]:
        """Final hidden states (seq, hidden) and attention (layers, heads, seq, seq)."""
        n = len(sequence.kinds)
        sees = {(q, k): self._sees(q, k, plan) for q in KINDS for k in KINDS}
        visible = torch.tensor([[sees[q, k] for k in sequence.kinds] for q in sequence.kinds])
        visible = (visible & torch.ones(n, n).tril().bool()) | torch.eye(n).bool()
        bias = torch.zeros(n, n).masked_fill(~visible, torch.finfo(torch.float).min)
        positions = torch.stack(sequence.positions, dim=-1)[..., None, :]
        output = self.decoder(
            inputs_embeds=torch.stack(sequence.embeds)[None],
            position_ids=positions if len(positions) == 3 else positions[0],
            attention_mask=bias[None, None],
            output_attentions=True,
            use_cache=False,
        )
        return output.last_hidden_state[0], torch.cat(output.attentions)

    @staticmethod
    def _sees(query: str, key: str, plan: LatentPlan) -> bool:
        def within(kind: str, name: str) -> bool:
            return kind == name or (name == "latent" and kind in LATENT)

        return not any(within(query, q) and within(key, k) for q, k in plan.blocked)

    def __call__(
        self,
        example: Example,
        plan: LatentPlan,
        text: list[int],
        kinds: list[str],
        given: Tensor,
        said: list[list[int]] | None = None,
    ) -> tuple[Sequence, Tensor]:
        """Run an example; returns the sequence and the logits of all positions from text[0] - 1.

        Where the plan writes its steps, `said` are the tokens of each; there may be fewer steps.
        """
        reasoner = self.reasoner
        sequence = self.prompt(example, plan)
        patches = [i for i, kind in enumerate(sequence.kinds) if kind == "image"]
        placeholder = self.model.get_input_embeddings()(torch.tensor(reasoner.placeholder_id))
        left = list(range(len(patches)))
        for step in range(plan.steps if said is None else len(said)):
            for token in [] if said is None else said[step]:
                sequence.append(
                    self.model.get_input_embeddings()(torch.tensor(token)), "rationale", 0
                )
                sequence.next_position += 1
            if said is not None:
                n = len(sequence.kinds)
                sequence.words.append(list(range(n - len(said[step]), n)))
            hidden, attention = self.forward(sequence, plan)
            sequence.rows.append(attention[:, :, -1])
            layers = range(len(attention)) if plan.select_layers is None else plan.select_layers
            scores = attention[list(layers), :, -1].mean((0, 1))[patches]
            picks = self._picks(plan, scores, left, given[step], example, step)
            sequence.picks.append(picks)
            if not plan.reuse:
                left = [i for i in left if i not in picks]
            vision = [sequence.embeds[patches[i]] for i in picks]
            text_latent = [hidden[-1]] if plan.text and said is None else []
            if plan.content == "placeholder":
                vision, text_latent = [placeholder] * len(vision), [placeholder] * plan.text
            width = plan.stride or len(vision) + len(text_latent)
            if said is not None:  # the last token of the step is counted already
                width = plan.stride - 1 if plan.stride else len(vision)
            parts = [("latent_vision", v) for v in vision]
            first = plan.part_order == "text_vision"
            where = len(text_latent) if first else 0
            room = max(width - len(text_latent), 1)
            # Patches stand after the token that ends a step, even where there is no room for any.
            offsets = [where + min(i, room - 1) for i in range(len(vision))]
            text_part = [("latent_text", t) for t in text_latent]
            text_offset = [0 if first else width - 1] * len(text_latent)
            parts = text_part + parts if first else parts + text_part
            offsets = text_offset + offsets if first else offsets + text_offset
            for (kind, embed), offset in zip(parts, offsets, strict=True):
                sequence.append(embed, kind, offset)
            sequence.latents.append([embed for _, embed in parts])
            sequence.next_position += width
        start = len(sequence.kinds)
        for token, kind in zip(text, kinds, strict=True):
            sequence.append(self.model.get_input_embeddings()(torch.tensor(token)), kind, 0)
            sequence.next_position += 1
        sequence.hidden, _ = self.forward(sequence, plan)
        hidden = sequence.hidden
        return sequence, reasoner.backbone.logits(hidden[start - 1 :])

    @staticmethod
    def _picks(
        plan: LatentPlan,
        scores: Tensor,
        left: list[int],
        given: Tensor,
        example: Example,
        step: int,
    ) -> list[int]:
        if plan.select == "all":
            return list(range(len(scores)))
        if not plan.k:
            return []
        if plan.select == "given":
            return given.tolist()
        if plan.select == "random":
            scores = torch.rand(
                len(scores), generator=example_generator(example.id, 0, "pick", step)
            )
        if plan.select == "bottom":
            scores = -scores
        if plan.pick_order == "published":
            used = [i not in left for i in range(len(scores))]
            masked = scores.masked_fill(torch.tensor(used), -torch.inf)
            return masked.topk(plan.k, sorted=False).indices.tolist()
        picks = sorted(left, key=lambda i: -float(scores[i]))[: plan.k]
        return sorted(picks) if plan.pick_order == "spatial" else picks


@pytest.fixture(scope="session")
def naive(reasoner: Reasoner) -> Naive:
    return Naive(reasoner)


@pytest.fixture
def no_grad():
    with torch.no_grad():
        yield
