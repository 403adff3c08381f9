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

from latentlab.backbones import Backbone, Batch
from latentlab.backbones.inputs import Embedded
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.blocks import close_block, end_at_will, open_block
from latentlab.reasoning.interventions import Hooked, Intervention, PromptReplace, edits_of
from latentlab.reasoning.layout import placed
from latentlab.reasoning.make import make_latent, placeholder_of
from latentlab.reasoning.passes import Around, advance, newest
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.prompt import begin
from latentlab.reasoning.said import Words
from latentlab.reasoning.selection import check_patches
from latentlab.reasoning.sources import Context
from latentlab.reasoning.trajectory import Latent, Trajectory
from latentlab.reasoning.visibility import Kind, prompts_alike, visibility_table
from latentlab.reasoning.words import StepEnds, say


class Rollout:
    """Runs prompts through a backbone as a plan says."""

    def __init__(
        self,
        backbone: Backbone,
        plan: LatentPlan,
        placeholder_id: int | None = None,
        seed: int = 0,
        capture_layers: Sequence[int] = (),
        step_ends: StepEnds | None = None,
    ) -> None:
        """Prepare a rollout.

        Args:
            backbone: the model.
            plan: how it reasons.
            placeholder_id: token whose embedding fills slots without content.
            seed: seed of random picks.
            capture_layers: layers whose last attention row is kept at each step, beside those the
                plan's selection needs.
            step_ends: where a written step ends, for plans that write their steps.

        Raises:
            UserError: the plan names layers the model does not have, or needs a placeholder token
                the model lacks.
        """
        plan.check_model(backbone.n_layers, capture_layers, placeholder_id is not None)
        self.backbone = backbone
        self.plan = plan
        self.placeholder_id = placeholder_id
        self.seed = seed
        self.capture_layers = tuple(sorted(set(capture_layers)))
        self.step_ends = step_ends
        self.table = visibility_table(plan.blocked).to(backbone.device)
        self.around: list[Around] = []
        """What is put around every pass: attention knock-outs (`knockout.knocked_out`)."""
        self.examples: tuple[str, ...] = ()
        """Whose sequences are run, for hooks that act on each in its own way."""
        self.branches = 1
        """How many texts of equal length the running pass holds side by side for each example."""
        self.pass_index = 0
        """Which pass is running: 0 the prompt, t step t, steps + 1 the text after them. A step in
        words is two passes; `words.DRAFT` and `blocks.OPENING` are those beside the count."""

    def __call__(
        self, batch: Batch, interventions: Sequence[Intervention | Hooked] = ()
    ) -> Trajectory:
        """Prefill a batch of prompts and run its latent steps."""
        return self.reason(self.prefill(batch), interventions)

    def prefill(
        self,
        batch: Batch,
        edits: Sequence[PromptReplace] = (),
        merged: Embedded | None = None,
    ) -> Trajectory:
        """Embed the prompts, images merged in, and run them once.

        Args:
            batch: the prompts.
            edits: what to do to their embeddings first.
            merged: the embeddings, where they are known: what `Backbone.merge` gives.

        Returns:
            A prefix for `reason`, of this rollout or of any other that `continues` it.
        """
        return begin(self, batch, edits, merged)[0]

    def read(self, batch: Batch) -> Float[Tensor, "batch seq hidden"]:
        """Run whole sequences once, as prompts are run; their hidden states after the norm."""
        return begin(self, batch)[1]

    def continues(self, prefix: Trajectory) -> bool:
        """Whether a prefix is what this rollout's own prefill would compute."""
        return (
            prefix.plan.positions == self.plan.positions
            and prompts_alike(prefix.plan.blocked, self.plan.blocked)
            and set(self.plan.captured(self.capture_layers, self.backbone.n_layers))
            <= set(prefix.layers)
        )

    def reason(
        self,
        prefix: Trajectory,
        interventions: Sequence[Intervention | Hooked] = (),
        own: Bank | None = None,
        words: Sequence[Words] = (),
        until: int | None = None,
    ) -> Trajectory:
        """Run the plan's latent steps from a prefix, or from a state that has taken some of them.

        Args:
            prefix: where to begin; it stays as it was.
            interventions: what to do to each step's latent, in order; what is `Hooked` acts where
                it is `applied`, around this and what follows.
            own: the batch's undisturbed latents, for interventions that put them back.
            words: what to write at each step (teacher forcing); without, the model writes.
            until: how many steps to have taken in the end; None means all of the plan's.

        Raises:
            UserError: an image has too few patches, or given picks do not fit it.
            ValueError: the plan does not continue the prefix's, or nothing says how steps end.
        """
        if not self.continues(prefix):
            raise ValueError("the prefix was computed under another plan; prefill it anew")
        state = prefix.fork()
        batch = state.batch
        check_patches(self.plan, batch.examples, state.patches.count, batch.given_picks)
        edits = edits_of(interventions)
        empty = self.placeholder if edits else None
        context = Context(batch.examples, empty, self.seed, own, state.patches)
        taken, last = len(state.latents), self.plan.steps if until is None else until
        if self.plan.lead and not taken:
            open_block(self, state)
        for step in range(taken, last):
            if self.plan.length == "free":
                end_at_will(self, state)
            if self.plan.in_words:
                say(self, state, step, words[step] if words else None)
            filling = self.placeholder if self.plan.content == "placeholder" else None
            latent = make_latent(self.plan, state, step, self.seed, filling)
            for intervention in edits:
                latent = intervention.edit(latent, step, context)
            if state.row is not None:
                state.rows.append(state.row)
            state.latents.append(latent)
            self.pass_index = step + 1
            self._append(state, latent)
        if self.plan.end_token is not None and last == self.plan.steps:
            close_block(self, state)
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
        self.pass_index = self.plan.steps + 1
        return self.backbone.logits(self.write(state, ids, kinds))

    def write(
        self,
        state: Trajectory,
        ids: Int[Tensor, "batch tokens"],
        kinds: Int[Tensor, "batch tokens"],
        keep_row: bool = False,
    ) -> Float[Tensor, "batch tokens+1 hidden"]:
        """Append text in place, at whatever the pass_index says; kind PAD may stand anywhere.

        Returns:
            Hidden states of each row's newest position before every token, and after the last.
        """
        before = state.hidden[:, None]
        if ids.shape[1] == 0:
            return before
        real = kinds != Kind.PAD
        count = real.long().cumsum(-1)
        positions = state.next_position[:, None] + count - 1
        hidden = advance(self, state, self.backbone.embed_tokens(ids), kinds, positions, keep_row)
        hidden = newest(torch.cat([before, hidden], dim=1), real)
        state.hidden = hidden[:, -1]
        state.next_position = state.next_position + count[:, -1]
        return hidden

    def _append(self, state: Trajectory, latent: Latent) -> None:
        """Append one step's slots and run them."""
        slots, width = placed(self.plan, latent, state.patches.count)
        start, before = state.next_position, state.hidden
        if self.plan.in_words:
            # The token that ends a step stands where latent text would, and is there already.
            start = start - state.going_on.long()
        if slots is not None:
            embeds, kinds, places = slots
            advance(self, state, embeds, kinds, start[:, None] + places)
        if not state.undivided:
            state.hidden = torch.where(state.going_on[:, None], state.hidden, before)
            width = width * state.going_on
        state.next_position = start + width

    @property
    def placeholder(self) -> Float[Tensor, "1 hidden"] | None:
        """Embedding of the placeholder token, where there is one."""
        return placeholder_of(self.backbone, self.placeholder_id)
