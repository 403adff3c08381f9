"""A model that is spoken to: some calls in, their replies and costs out, as one batch.

Everything that a method costs is counted here, call by call and in the same way for all methods:
positions that the decoder runs for an example (no padding, nothing twice), tokens and latent steps
one by one, pictures that the vision tower looks at. A prompt is read anew at every call, as it is
where calls go to a server; what is read to score options is no part of an answer and not counted.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from latentlab.backbones import Batch
from latentlab.errors import UserError
from latentlab.methods.begun import before_answer, begun_of, gaps_of, marked
from latentlab.methods.call import Call, Part
from latentlab.methods.newlines import Newlines
from latentlab.prompts.fit import check_fit
from latentlab.prompts.template import conversed
from latentlab.reasoner import Reasoner
from latentlab.reasoning.decode import option_logprobs
from latentlab.reasoning.greedy import Greedy, greedy
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.visibility import Kind


@dataclass(frozen=True)
class Said:
    """A reply and what it cost."""

    text: str
    """The reply, without special tokens."""

    option_logprobs: tuple[float, ...] = ()
    """Log-likelihood of each option after the reply's reasoning and the marker, in nats."""

    new_tokens: int = 0
    """Tokens written, the end token among them."""

    latent_steps: int = 0
    """Latent steps taken."""

    forward_tokens: int = 0
    """Positions that the decoder ran: prompt, patches, latents, written tokens."""

    pictures: int = 0
    """Pictures that were encoded."""

    seconds: float = 0.0
    """Time of the call: that of its batch divided by its size."""

    ids: tuple[int, ...] = ()
    """Its tokens, the end token among them."""

    stands: int = 0
    """Position id of its answer marker."""


def bare_plan(reasoner: Reasoner) -> LatentPlan:
    """A plan without steps, with the positions that a model was trained on.

    These are its plan's, or, where none came with the weights, those of its family.
    """
    own = reasoner.plan
    positions = own.positions if reasoner.brings_plan else "mrope"
    return LatentPlan(steps=0, k=0, positions=positions, blocked=own.blocked)


class Speaker:
    """A reasoner as methods use it."""

    def __init__(self, reasoner: Reasoner, seed: int = 0) -> None:
        """Keep the model; `seed` is that of random picks."""
        self.reasoner = reasoner
        self.seed = seed

    @cached_property
    def no_steps(self) -> LatentPlan:
        """The plan of calls that take no steps."""
        return bare_plan(self.reasoner)

    @torch.no_grad()
    def say(
        self, calls: Sequence[Call], names: Sequence[str], options: Sequence[Sequence[str]]
    ) -> list[Said]:
        """Answer some calls; those that reason alike go through the model together.

        Args:
            calls: what is asked.
            names: what to call the examples.
            options: the answers to score for each; none where a call is not to answer.

        Raises:
            UserError: a prompt does not fit the model.
        """
        found: dict[int, Said] = {}
        groups: dict[tuple[LatentPlan, int, bool], list[int]] = {}
        for i, call in enumerate(calls):
            key = (call.plan or self.no_steps, call.newlines, call.begun is None)
            groups.setdefault(key, []).append(i)
        for (plan, newlines, _), where in groups.items():
            replies = self._together(
                plan,
                newlines,
                [calls[i] for i in where],
                [names[i] for i in where],
                [options[i] for i in where],
            )
            found |= dict(zip(where, replies, strict=True))
        return [found[i] for i in range(len(calls))]

    def batch(self, calls: Sequence[Call], names: Sequence[str]) -> Batch:
        """Word and align the prompts of some calls, which reason alike.

        Raises:
            UserError: a prompt does not show its pictures once each, or is too long.
        """
        prompter = self.reasoner.prompter
        images = [image for call in calls for image in call.pictures]
        inputs = self.reasoner.backbone.prepare_images(images) if images else None
        shown = iter(zip(inputs.texts, inputs.counts, strict=True) if inputs else ())
        rows = []
        for call, name in zip(calls, names, strict=True):
            row = self.row(call, [next(shown) for _ in call.pictures], name)
            rows.append(row)
        width = max(map(len, rows))
        ids = torch.tensor([[prompter.pad_id] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[False] * (width - len(row)) + [True] * len(row) for row in rows])
        pixels = inputs.pixels if inputs else {}
        return Batch(tuple(names), ids, mask, pixels).to(self.reasoner.backbone.device)

    def _together(
        self,
        plan: LatentPlan,
        newlines: int,
        calls: Sequence[Call],
        names: Sequence[str],
        options: Sequence[Sequence[str]],
    ) -> list[Said]:
        started = time.perf_counter()
        prompter = self.reasoner.prompter
        plan = prompter.resolve(plan)
        longest = max(call.longest for call in calls)
        ends, room = prompter.step_ends, longest // (plan.steps + 1)
        ends = Newlines.of(ends, newlines, room) if newlines else ends
        backbone, filler = self.reasoner.backbone, self.reasoner.placeholder_id
        rollout = Rollout(backbone, plan, filler, self.seed, (), ends)
        words, given = begun_of(calls, plan, ends)
        state = rollout.reason(rollout.prefill(self.batch(calls, names)), words=words)
        state.check_finite()
        state = state.skip(gaps_of(calls, state.next_position))
        first = state.next_position.tolist()
        marker = prompter.marker_ids[0] if prompter.marker_ids else None
        room = max(1, longest - min(map(len, state.written)))
        text = greedy(rollout, state, prompter.eos_ids, marker, room, given)
        seconds = (time.perf_counter() - started) / len(calls)
        read = (state.kinds != Kind.PAD).sum(-1).tolist()
        written, outputs = state.written, []
        for i, call in enumerate(calls):
            outputs.append(text.outputs[i][: max(1, call.longest - len(written[i]))])
        # What answers a begun reply follows on the marker that it was begun with.
        until = given or outputs
        scores = self._scores(rollout, text, until, options)
        return [
            Said(
                text=prompter.decode([*written[i], *outputs[i]]),
                option_logprobs=tuple(scores[i]),
                new_tokens=len(written[i]) + len(outputs[i]),
                latent_steps=state.steps_taken[i],
                # The last token of a reply is never read.
                forward_tokens=read[i] + len(outputs[i]) - 1,
                pictures=len(call.pictures),
                seconds=seconds,
                ids=(*written[i], *outputs[i]),
                stands=first[i] + (marked(prompter, until[i]) or 0),
            )
            for i, call in enumerate(calls)
        ]

    def row(self, call: Call, shown: Sequence[tuple[str, int]], name: str) -> list[int]:
        """Token ids of a prompt, with as many image tokens as its pictures have patches.

        Args:
            call: what is asked.
            shown: what stands for each of its pictures, and the patches of each.
            name: what to call the example.

        Raises:
            UserError: the prompt does not show its pictures once each, or is too long.
        """
        reasoner, plan = self.reasoner, call.plan or self.no_steps
        ids = reasoner.prompter.encode(self.text(call, [text for text, _ in shown]))
        start = None if plan.lead else reasoner.prompter.resolve(plan).start_token
        ids += [start] if isinstance(start, int) else []
        found = ids.count(reasoner.backbone.image_token_id)
        if found != (patches := sum(count for _, count in shown)):
            raise UserError(
                f"{name}: the prompt has {found} image tokens for {patches} patches; the chat "
                f"template must write {reasoner.backbone.image_slot} once for each picture, and "
                "the text never"
            )
        check_fit(reasoner.backbone.text_config, name, ids)
        return ids

    def text(self, call: Call, shown: Sequence[str]) -> str:
        """A prompt as it is tokenized, with what stands for each of its pictures."""
        prompter, slot = self.reasoner.prompter, self.reasoner.backbone.image_slot
        turns = [
            {"role": turn.speaker, "content": [_piece(part) for part in turn.parts]}
            for turn in call.turns
        ]
        before, *after = conversed(prompter.tokenizer, turns, slot).split(slot)
        if len(after) == len(shown):
            before += "".join(text + rest for text, rest in zip(shown, after, strict=True))
        else:
            before = slot.join([before, *after])
        return before if prompter.tokenizer.chat_template else prompter.beginning + before

    def _scores(
        self,
        rollout: Rollout,
        said: Greedy,
        outputs: Sequence[Sequence[int]],
        options: Sequence[Sequence[str]],
    ) -> list[list[float]]:
        """Log-likelihood of each option, after what was written up to the marker."""
        prompter = self.reasoner.prompter
        prefixes = [before_answer(prompter, output) for output in outputs]
        ids = [[prompter.answer_ids(text) for text in row] for row in options]
        return option_logprobs(rollout, said, prefixes, ids)


def _piece(part: Part) -> dict[str, str]:
    """A part of a turn as chat templates take it."""
    return {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}
