"""A plain rollout: one example at a time, everything recomputed at every step, attention in full.

Written from the definitions (docs/engine.md, arXiv 2510.12603) and not from the engine, so that two
accounts of one model can be held against each other. Taken over are the weights, the tokenizer, the
image processor and the fields of the plan. No keys are cached, nothing is padded or hooked; numbers
are float64, so that what is left between the two is the engine's rounding.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from latentlab.checkpoint import load
from latentlab.data import Example

GROUPS = {"latent": ("latent_vision", "latent_text")}
"""What a blocked pair may call several kinds of positions."""


@dataclass
class Latent:
    """What one step appends."""

    vision: Tensor | None
    """(k, hidden) re-inserted image embeddings."""

    text: Tensor | None
    """(hidden,) the last hidden state."""

    closed: bool = False
    """Whether later positions move up to where a missing part would have been."""


Edit = Callable[[int, Latent], Latent]
"""Changes the latent of a step (from 0) before it is appended."""

Choose = Callable[[Sequence[float], Sequence[int]], list[int]]
"""Picks patches by the attention on all of them, out of those not used yet."""

Site = tuple[str, int, int, int]
"""Component, layer, clock, and position among those of that clock, counted from the end."""


@dataclass
class Run:
    """A sequence as it grows; clock 0 is the prompt, t step t, steps + 1 the text after them."""

    embeds: list[Tensor] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    clocks: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    next_position: int = 0
    latents: list[Latent] = field(default_factory=list)
    picks: list[list[int]] = field(default_factory=list)
    rows: list[Tensor] = field(default_factory=list)
    """(layers, heads, keys) attention of the position that each step begins from."""
    forced: dict[Site, Tensor] = field(default_factory=dict)
    """Activations that are overwritten whenever they are computed."""
    hidden_keys: "Callable[[Run], Tensor] | None" = None
    """(queries, keys) of what a knock-out hides beside the plan's blocked pairs."""

    def add(self, embeds: Tensor, kinds: Sequence[str], clock: int, positions: Sequence[int]):
        """Append positions."""
        self.embeds += list(embeds)
        self.kinds += kinds
        self.clocks += [clock] * len(kinds)
        self.positions += positions

    def at(self, clock: int, place: int) -> int:
        """Index of a position among those of its clock."""
        return [i for i, own in enumerate(self.clocks) if own == clock][place]

    def where(self, name: str) -> Tensor:
        """(n,) which positions are of a kind or group."""
        return torch.tensor([kind in GROUPS.get(name, (name,)) for kind in self.kinds])

    def fork(self) -> "Run":
        """A copy that may grow by itself."""
        new = copy.copy(self)
        for name in ("embeds", "kinds", "clocks", "positions"):
            setattr(new, name, list(getattr(self, name)))
        return new


@dataclass
class States:
    """What one pass over a whole sequence computes."""

    resid: list[Tensor]
    """(n, hidden) the stream before the first layer and after each."""

    attn_out: list[Tensor]
    """(n, hidden) what each layer's attention adds to it."""

    mlp_out: list[Tensor]
    """(n, hidden) what each layer's MLP adds to it."""

    values: list[Tensor]
    """(heads, n, dim) of each layer."""

    weights: list[Tensor]
    """(heads, queries, keys) attention of each layer."""

    final: Tensor
    """(n, hidden) after the final norm."""

    logits: Tensor
    """(n, vocab)."""


class Plain:
    """A Qwen2-VL checkpoint, run by hand."""

    def __init__(self, name: str) -> None:
        loaded = load(name, "cpu")
        self.plan, self.prompter = loaded.plan, loaded.prompter
        self.placeholder_id = loaded.placeholder_id
        self.model = loaded.backbone.model.double().requires_grad_(False)
        self.decoder = self.model.model.language_model
        self.norm, self.head = self.decoder.norm, self.model.lm_head
        self.config = self.model.config.get_text_config()
        self._prompts: dict[tuple[object, ...], tuple[Tensor, Tensor]] = {}
        plan = self.plan
        known = plan.positions == "flat" and plan.stride is None and not plan.reuse
        known &= plan.part_order == "vision_text" and plan.pick_order == "score" and plan.text
        known &= plan.content != "words" and plan.select in ("attention", "given")
        if not known or plan.select_layers is not None:
            raise ValueError(f"the plain rollout does not know the plan of {name}")

    def rollout(
        self,
        example: Example,
        edit: Edit | None = None,
        picks: Sequence[Sequence[int]] | Choose | None = None,
        forced: dict[Site, Tensor] | None = None,
        hidden_keys: Callable[[Run], Tensor] | None = None,
    ) -> Run:
        """Run the prompt and the latent steps, recomputing all positions at each step.

        Args:
            example: what is asked.
            edit: what is done to each latent.
            picks: patches of every step, or how they are chosen by their attention, instead of
                the most attended.
            forced: activations to overwrite.
            hidden_keys: what nobody may see, beside what the plan blocks.
        """
        run = Run(forced=forced or {}, hidden_keys=hidden_keys)
        embeds, is_image = self._read(example)
        patches, first = embeds[is_image], int(is_image.int().argmax())
        kinds = ["image" if here else "prompt" for here in is_image]
        run.add(embeds, kinds, 0, range(len(kinds)))
        run.next_position = len(kinds)
        plan, used = self.plan, set()
        for step in range(plan.steps):
            states = self.forward(run)
            run.rows.append(torch.stack([weights[:, -1] for weights in states.weights]))
            chosen: list[int] = []
            if plan.k and len(patches):
                if picks is not None and not callable(picks):
                    chosen = list(picks[step])
                elif plan.select == "given":
                    # The cells where the last k hops up to this one end.
                    hops = range(step + 2 - plan.k, step + 2)
                    chosen = [example.trace.cells[max(hop, 0)] for hop in hops]
                else:
                    score = run.rows[-1].mean((0, 1))[first : first + len(patches)].tolist()
                    free = [i for i in range(len(patches)) if i not in used]
                    chosen = (picks or self._most_attended)(score, free)
            used.update(chosen)
            latent = Latent(patches[chosen] if chosen else None, states.final[-1])
            if plan.content == "placeholder":
                empty = self.embed([self.placeholder_id])
                latent = Latent(empty.expand(plan.k, -1), empty[0])
            if edit is not None:
                latent = edit(step, latent)
            run.picks.append(chosen)
            run.latents.append(latent)
            self._append(run, latent, step + 1)
        return run

    def _read(self, example: Example) -> tuple[Tensor, Tensor]:
        """(n, hidden) embeddings of a prompt, its picture merged in, and which are the picture's.

        They are kept: what is asked is looked at once, only what a model makes of it is not.
        """
        image = example.image
        key = example.question, example.choices, None if image is None else image.tobytes()
        if key not in self._prompts:
            batch = self.prompter.batch([example], self.plan)
            is_image = batch.input_ids[0] == self.model.config.image_token_id
            embeds = self.embed(batch.input_ids[0].tolist())
            if batch.pixels:
                pixels, grid = batch.pixels["pixel_values"], batch.pixels["image_grid_thw"]
                tower = self.model.model.visual
                embeds[is_image] = tower(pixels.double(), grid_thw=grid).pooler_output
            self._prompts[key] = embeds, is_image
        return self._prompts[key]

    def _most_attended(self, score: Sequence[float], free: Sequence[int]) -> list[int]:
        return sorted(free, key=lambda i: -score[i])[: self.plan.k]

    def _append(self, run: Run, latent: Latent, clock: int) -> None:
        """Append the patches and then the text; a missing part leaves a hole, or none (closed)."""
        start, room = run.next_position, self.plan.k + 1
        vision = 0 if latent.vision is None else len(latent.vision)
        if latent.vision is not None:
            places = range(start, start + vision)
            run.add(latent.vision, ["latent_vision"] * vision, clock, places)
        if latent.text is not None:
            place = start + (vision if latent.closed else room - 1)
            run.add(latent.text[None], ["latent_text"], clock, [place])
        if latent.closed:
            room = vision + (latent.text is not None)
        run.next_position = start + room

    def say(self, run: Run, ids: Sequence[int], kind: str = "answer") -> Run:
        """A copy of a run that goes on with text."""
        run = run.fork()
        places = range(run.next_position, run.next_position + len(ids))
        run.add(self.embed(ids), [kind] * len(ids), self.plan.steps + 1, places)
        run.next_position += len(ids)
        return run

    def option_logprobs(
        self, run: Run, options: Sequence[str], written: Sequence[int] = ()
    ) -> list[float]:
        """log p of each option's tokens, end token included, after the answer marker; in nats.

        Args:
            run: where the latent steps end.
            options: texts; those of one length go through one pass, side by side.
            written: what the model wrote before that marker.
        """
        before = self._write_down(run, [*written, *self.prompter.marker_ids])
        ids = [self.option_ids(text) for text in options]
        found = [0.0] * len(ids)
        for length in {len(option) for option in ids}:
            chosen = [i for i, option in enumerate(ids) if len(option) == length]
            whole = [self.say(before, ids[i]) for i in chosen]
            states = self.forward(whole[0], torch.stack([torch.stack(w.embeds) for w in whole]))
            logp = states.logits.log_softmax(-1)[:, -length - 1 : -1]
            for i, row in zip(chosen, logp, strict=True):
                found[i] = sum(float(row[at, token]) for at, token in enumerate(ids[i]))
        return found

    def _write_down(self, run: Run, ids: Sequence[int]) -> Run:
        """A copy of a run that goes on with text; from its first marker on it is the answer."""
        marker = self.prompter.marker_ids[0]
        at = list(ids).index(marker) if marker in ids else len(ids)
        return self.say(self.say(run, ids[:at], "rationale"), ids[at:])

    def write(self, run: Run, longest: int, at_once: bool) -> list[int]:
        """Greedy text after the latent steps; at once: the answer marker is put there first."""
        start = self.say(run, self.prompter.marker_ids) if at_once else run
        said: list[int] = []
        while len(said) < longest and self.prompter.tokenizer.eos_token_id not in said:
            whole = self.say(start, said) if at_once else self._write_down(start, said)
            said.append(int(self.forward(whole).logits[-1].argmax()))
        return said

    def option_ids(self, text: str) -> list[int]:
        """Tokens of an option where an answer stands: a space, its words, the end."""
        tokenizer = self.prompter.tokenizer
        ids = tokenizer(" " + text, add_special_tokens=False)["input_ids"]
        return [*ids, tokenizer.eos_token_id]

    def text(self, ids: Sequence[int]) -> str:
        """What tokens say, special ones left out."""
        return self.prompter.tokenizer.decode(list(ids), skip_special_tokens=True).strip()

    def embed(self, ids: Sequence[int]) -> Tensor:
        """(n, hidden) token embeddings."""
        return self.decoder.embed_tokens(torch.tensor(list(ids), dtype=torch.long))

    def visible(self, run: Run) -> Tensor:
        """(queries, keys): all before, less the blocked pairs of kinds; and always oneself."""
        n = len(run.kinds)
        allowed = torch.ones(n, n, dtype=torch.bool).tril(-1)
        for query, key in self.plan.blocked:
            allowed &= ~(run.where(query)[:, None] & run.where(key))
        if run.hidden_keys is not None:
            allowed &= ~run.hidden_keys(run)
        return allowed | torch.eye(n, dtype=torch.bool)

    def forward(self, run: Run, x: Tensor | None = None, watch: bool = False) -> States:
        """One pass over all positions: a pre-norm transformer with rotary positions.

        Args:
            run: the sequence.
            x: (..., n, hidden) what to feed instead of its embeddings.
            watch: whether gradients with respect to the attention weights can be taken.
        """
        heads, eps = self.config.num_attention_heads, self.config.rms_norm_eps
        x = torch.stack(run.embeds) if x is None else x
        n, dim = x.shape[-2], x.shape[-1] // heads
        theta = self.config.rope_parameters["rope_theta"]
        rates = theta ** (-torch.arange(0, dim, 2, dtype=x.dtype) / dim)
        angles = torch.tensor(run.positions, dtype=x.dtype)[:, None] * rates
        cos, sin = angles.cos(), angles.sin()
        mask = torch.zeros(n, n, dtype=x.dtype).masked_fill(~self.visible(run), -torch.inf)

        def normed(x: Tensor, weight: Tensor) -> Tensor:
            return weight * x / (x.square().mean(-1, keepdim=True) + eps).sqrt()

        def split(x: Tensor) -> Tensor:
            return x.unflatten(-1, (heads, dim)).transpose(-3, -2)

        def turned(x: Tensor) -> Tensor:
            a, b = split(x).chunk(2, dim=-1)
            return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)

        def forced(x: Tensor, component: str, layer: int) -> Tensor:
            for (name, at, clock, place), value in run.forced.items():
                if (name, at) == (component, layer) and clock in run.clocks:
                    x[..., run.at(clock, place), :] = value
            return x

        x = forced(x, "resid_pre", 0)
        states = States([x.clone()], [], [], [], [], x, x)
        weights = states.weights
        for number, layer in enumerate(self.decoder.layers):
            attend, inner = layer.self_attn, normed(x, layer.input_layernorm.weight)
            q, k = turned(attend.q_proj(inner)), turned(attend.k_proj(inner))
            v = split(attend.v_proj(inner))
            weights.append((q @ k.transpose(-1, -2) / dim**0.5 + mask).softmax(-1))
            if watch and not weights[-1].requires_grad:
                weights[-1].requires_grad_()
            mixed = (weights[-1] @ v).transpose(-3, -2).flatten(-2)
            added = forced(attend.o_proj(mixed), "attn_out", number)
            x = x + added
            inner = normed(x, layer.post_attention_layernorm.weight)
            mlp = layer.mlp
            gated = torch.nn.functional.silu(mlp.gate_proj(inner)) * mlp.up_proj(inner)
            more = forced(mlp.down_proj(gated), "mlp_out", number)
            x = forced(x + more, "resid_post", number)
            states.resid.append(x.clone())
            states.attn_out.append(added)
            states.mlp_out.append(more)
            states.values.append(v)
        states.final = normed(x, self.norm.weight)
        states.logits = self.head(states.final)
        return states
