"""The rollout engine: prompt -> latent steps -> text, every position computed once.

The released IVT-LR code recomputes the whole prefix at each latent step. Because a step's patches
are appended *before* its latent text, nothing that was computed ever changes, so a cache gives the
same numbers (`tests/reasoning/test_reference.py` holds them to the published outputs). All passes
run under one definition of who sees whom (`visibility`), and interventions edit a step's latent
between its making and its appending: the only place a study needs to touch.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

from latentlab.backbones import Backbone, Batch, Capture
from latentlab.errors import UserError
from latentlab.reasoning.interventions import Intervention, PromptReplace
from latentlab.reasoning.layout import arrange, slot_positions, step_width
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.selection import check_patches, pick
from latentlab.reasoning.sources import Bank, Context
from latentlab.reasoning.trajectory import Latent, Patches, Trajectory
from latentlab.reasoning.visibility import Kind, attention_mask, visibility_table


class Rollout:
    """Runs prompts through a backbone as a plan says."""

    def __init__(
        self,
        backbone: Backbone,
        plan: LatentPlan,
        placeholder_id: int | None = None,
        seed: int = 0,
        capture_layers: Sequence[int] = (),
    ) -> None:
        """Prepare a rollout.

        Args:
            backbone: the model.
            plan: how it reasons.
            placeholder_id: token whose embedding fills slots without content.
            seed: seed of random picks.
            capture_layers: layers whose last attention row is kept at each step, beside those the
                plan's selection needs.

        Raises:
            UserError: the plan names layers the model does not have, or needs a placeholder token
                the model lacks.
        """
        chosen = plan.select_layers or ()
        for layer in (*chosen, *capture_layers):
            if not 0 <= layer < backbone.n_layers:
                raise UserError(
                    f"there is no layer {layer}; the model has layers 0 to {backbone.n_layers - 1}"
                )
        if plan.content == "placeholder" and placeholder_id is None:
            raise UserError(
                "the plan fills its slots with a placeholder token, which this model lacks"
            )
        self.backbone = backbone
        self.plan = plan
        self.placeholder_id = placeholder_id
        self.seed = seed
        self.capture_layers = tuple(sorted(set(capture_layers)))
        self.table = visibility_table(plan.blocked).to(backbone.device)
        self.clock = 0
        """What is running: 0 the prompt, t the slots of latent step t, steps + 1 text after them.
        Hooks on the model's modules read it to know where they are."""

    def __call__(self, batch: Batch, interventions: Sequence[Intervention] = ()) -> Trajectory:
        """Prefill a batch of prompts and run its latent steps."""
        return self.reason(self.prefill(batch), interventions)

    def prefill(self, batch: Batch, edits: Sequence[PromptReplace] = ()) -> Trajectory:
        """Embed the prompts, images merged, and run them once.

        Args:
            batch: the prompts.
            edits: what to do to their embeddings first.

        Returns:
            A prefix for `reason`, of this rollout or of any other that `continues` it.
        """
        is_image = (batch.input_ids == self.backbone.image_token_id) & batch.attention_mask
        embeds = self.backbone.embed(batch)
        context = Context(batch.examples, self._placeholder(), self.seed)
        patches = Patches.of(embeds, is_image)
        for edit in edits:
            embeds = edit.edit_prompt(embeds, batch.attention_mask, context)
        kinds = torch.where(is_image, int(Kind.IMAGE), int(Kind.PROMPT))
        kinds = kinds.masked_fill(~batch.attention_mask, int(Kind.PAD))
        positions = self.backbone.positions(batch, self.plan.positions)
        last = positions.amax(dim=-1)
        state = Trajectory(
            batch=batch,
            plan=self.plan,
            layers=self._kept,
            cache=DynamicCache(config=self.backbone.text_config),
            kinds=kinds[:, :0],
            next_position=(last.amax(0) if last.ndim == 2 else last) + 1,
            hidden=embeds[:, -1],
            row=None,
            patches=patches,
            available=patches.exists,
        )
        self.clock = 0
        self._advance(state, embeds, kinds, positions)
        return state

    def continues(self, prefix: Trajectory) -> bool:
        """Whether a prefix is what this rollout's own prefill would compute."""
        prompt = slice(Kind.IMAGE, Kind.PROMPT + 1)
        theirs = visibility_table(prefix.plan.blocked).to(self.table)[prompt, prompt]
        return (
            prefix.plan.positions == self.plan.positions
            and torch.equal(theirs, self.table[prompt, prompt])
            and set(self._kept) <= set(prefix.layers)
        )

    def reason(
        self,
        prefix: Trajectory,
        interventions: Sequence[Intervention] = (),
        own: Bank | None = None,
    ) -> Trajectory:
        """Run the plan's latent steps from a prefix, which stays as it was.

        Args:
            prefix: what `prefill` returned.
            interventions: what to do to each step's latent, in order.
            own: the batch's undisturbed latents, for interventions that put them back.

        Raises:
            UserError: an image has too few patches, or given picks do not fit it.
            ValueError: the prefix was computed under a plan that this one does not continue.
        """
        if not self.continues(prefix):
            raise ValueError("the prefix was computed otherwise than this plan's; prefill it anew")
        state = prefix.fork()
        given = state.batch.given_picks
        check_patches(self.plan, state.batch.examples, state.patches.count, given)
        context = Context(state.batch.examples, self._placeholder(), self.seed, own)
        for step in range(self.plan.steps):
            latent = self._next_latent(state, step)
            for intervention in interventions:
                latent = intervention.edit(latent, step, context)
            if state.row is not None:
                state.rows.append(state.row)
            state.latents.append(latent)
            self.clock = step + 1
            self._append(state, latent)
        return state

    def extend(
        self,
        state: Trajectory,
        ids: Int[Tensor, "batch tokens"],
        kinds: Int[Tensor, "batch tokens"],
    ) -> Float[Tensor, "batch tokens+1 vocab"]:
        """Append text in place (right-padded with kind PAD) and return its next-token logits.

        Returns:
            Logits of the position before the text and of each of its tokens, so that row i
            predicts token i.
        """
        before = state.hidden[:, None]
        if ids.shape[1] == 0:
            return self.backbone.logits(before)
        is_text = kinds != Kind.PAD
        positions = state.next_position[:, None] + is_text.long().cumsum(-1) - 1
        self.clock = self.plan.steps + 1
        hidden = self._advance(state, self.backbone.embed_tokens(ids), kinds, positions, False)
        hidden = torch.cat([before, hidden], dim=1)
        length = is_text.sum(-1)
        last = length[:, None, None].expand(-1, -1, hidden.shape[-1])
        state.hidden = hidden.gather(1, last)[:, 0]
        state.next_position = state.next_position + length
        return self.backbone.logits(hidden)

    def _next_latent(self, state: Trajectory, step: int) -> Latent:
        """Make the latent of one step from the newest position's state and attention."""
        plan = self.plan
        text = state.hidden if plan.text else None
        if text is not None and plan.gradient == "detached":
            text = text.detach()
        vision, picks = None, None
        if plan.has_vision:
            picks = self._pick(state, step)
            vision = state.patches.gather(picks)
            if not plan.reuse and plan.select != "all":
                used = torch.zeros_like(state.available).scatter(1, picks.clamp(min=0), True)
                state.available = state.available & ~used
        constant = self._placeholder() if plan.content == "placeholder" else None
        if constant is not None:
            text = None if text is None else constant.expand_as(text)
            vision = None if vision is None else constant[:, None].expand_as(vision)
        return Latent(text, vision, picks)

    def _pick(self, state: Trajectory, step: int) -> Int[Tensor, "batch k"]:
        """Pick this step's patches; see `selection.pick`."""
        plan, patches = self.plan, state.patches
        if plan.select == "all":
            order = torch.arange(patches.exists.shape[1], device=patches.exists.device)
            # Padding goes first, so that a step always ends in a slot that holds something.
            return torch.where(patches.exists, order, -1).sort(dim=-1).values
        if plan.select == "given" and state.batch.given_picks is not None:
            return state.batch.given_picks[:, step]
        return pick(
            plan,
            self._scores(state),
            state.available,
            patches.count,
            state.batch.examples,
            self.seed,
            step,
        )

    def _scores(self, state: Trajectory) -> Float[Tensor, "batch patches"]:
        """Attention of the newest position on each patch, averaged over layers and heads."""
        if self.plan.select == "random":
            return torch.zeros_like(state.patches.exists, dtype=torch.float32)
        assert state.row is not None, (
            "latent steps follow a prompt or another latent step, not text"
        )
        layers = self.plan.select_layers or range(self.backbone.n_layers)
        row = state.row[[state.layers.index(layer) for layer in layers]]
        return row.mean(dim=(0, 2)).gather(1, state.patches.index)

    def _append(self, state: Trajectory, latent: Latent) -> None:
        """Append one step's slots and run them."""
        width = step_width(self.plan, state.patches.count)
        if (slots := arrange(self.plan, latent)) is not None:
            embeds, kinds = slots
            positions = state.next_position[:, None] + slot_positions(self.plan, kinds, width)
            self._advance(state, embeds, kinds, positions)
        state.next_position = state.next_position + width

    def _advance(
        self,
        state: Trajectory,
        embeds: Float[Tensor, "batch queries hidden"],
        kinds: Int[Tensor, "batch queries"],
        positions: Int[Tensor, "*axes batch queries"],
        keep_row: bool = True,
    ) -> Float[Tensor, "batch queries hidden"]:
        """Run new positions and let the state grow by them."""
        state.kinds = torch.cat([state.kinds, kinds], dim=1)
        mask = attention_mask(state.kinds, embeds.shape[1], self.table)
        capture = Capture(state.layers) if keep_row and state.layers else None
        hidden = self.backbone.forward(embeds, positions, mask, state.cache, capture)
        state.hidden = hidden[:, -1]
        state.row = capture.stacked() if capture is not None else None
        return hidden

    @property
    def _kept(self) -> tuple[int, ...]:
        """Layers whose rows are captured: those asked for and those the selection averages."""
        plan = self.plan
        if plan.steps and plan.has_vision and plan.select in ("attention", "bottom"):
            needed = plan.select_layers or range(self.backbone.n_layers)
            return tuple(sorted({*self.capture_layers, *needed}))
        return self.capture_layers

    def _placeholder(self) -> Float[Tensor, "1 hidden"] | None:
        """Embedding of the placeholder token."""
        if self.placeholder_id is None:
            return None
        ids = torch.tensor([self.placeholder_id], device=self.backbone.device)
        return self.backbone.embed_tokens(ids)
