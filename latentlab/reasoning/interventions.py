"""What may be done to a latent between its making and its appending.

An intervention is a small frozen value with one method; several are applied in order, so studies
compose them instead of adding flags to the loop. Each names the part it touches (`latent_text`,
`latent_vision`, or `latent` for both) and the steps, counted from 1 (None for all). What a
replacement puts there comes from a `Source` (`sources.py`).
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from latentlab.draws import example_generator
from latentlab.errors import UserError, did_you_mean
from latentlab.reasoning.bank import PROMPT_PARTS, Bank
from latentlab.reasoning.sources import Context, Given, Source
from latentlab.reasoning.trajectory import Latent
from latentlab.vocabulary import LATENT_PARTS, LatentPart


@runtime_checkable
class Intervention(Protocol):
    """Edits one step's latent."""

    def edit(self, latent: Latent, step: int, context: Context) -> Latent:
        """Return the latent to append instead; the same object where nothing is done."""
        ...


@runtime_checkable
class Hooked(Protocol):
    """Acts inside the model while a rollout runs: on activations, or on who sees whom."""

    def around(self, rollout: Any) -> AbstractContextManager[None]:
        """Act on whatever the rollout does while the context is open."""
        ...


def edits_of(interventions: Iterable[Intervention | Hooked]) -> list[Intervention]:
    """Those of some interventions that edit latents; the others act inside the model."""
    return [one for one in interventions if isinstance(one, Intervention)]


@contextmanager
def applied(rollout: Any, interventions: Iterable[Intervention | Hooked]) -> Iterator[None]:
    """Let those of some interventions act that act inside the model; the others edit latents."""
    with ExitStack() as stack:
        for one in interventions:
            if isinstance(one, Hooked):
                stack.enter_context(one.around(rollout))
        yield


def check_place(part: str, steps: Sequence[int] | None) -> None:
    """Refuse a place that no latent has: there nothing would be done, without a word.

    Raises:
        UserError: the part has another name, or a step is below 1.
    """
    if part not in LATENT_PARTS:
        raise UserError(f"latents have no part {part!r}; {did_you_mean(part, LATENT_PARTS)}")
    if steps is not None and any(step < 1 for step in steps):
        raise UserError(f"latent steps count from 1, so there is no step {min(steps)}")


@dataclass(frozen=True)
class Drop:
    """Append no slot for a part.

    What follows either keeps its position ids, which leaves a hole, or moves up and closes it. A
    model may be sensitive to each, so neither alone removes content and nothing else.
    """

    part: LatentPart = "latent"
    """Which part to leave out."""

    steps: tuple[int, ...] | None = None
    """At which steps, counted from 1; None means all."""

    closed: bool = False
    """Whether what follows closes up; by default positions are held."""

    def __post_init__(self) -> None:
        """Refuse parts and steps that there are none of."""
        check_place(self.part, self.steps)

    def edit(self, latent: Latent, step: int, context: Context) -> Latent:
        """Remove the part at the chosen steps."""
        if self.steps is not None and step + 1 not in self.steps:
            return latent
        if self.closed:
            latent = latent.replace(closed=True)
        if self.part in ("latent_text", "latent"):
            latent = latent.replace(text=None)
        if self.part in ("latent_vision", "latent"):
            latent = latent.replace(vision=None, picks=None)
        return latent


@dataclass(frozen=True)
class Replace:
    """Keep the slots of a part and put other vectors into them."""

    part: LatentPart
    """Which part to overwrite."""

    source: Source
    """Where the new vectors come from."""

    steps: tuple[int, ...] | None = None
    """At which steps, counted from 1; None means all."""

    draw: int = 0
    """Which draw of what is random: its streams take the run's seed plus this number."""

    def __post_init__(self) -> None:
        """Refuse parts and steps that there are none of."""
        check_place(self.part, self.steps)

    def edit(self, latent: Latent, step: int, context: Context) -> Latent:
        """Overwrite the part at the chosen steps."""
        if self.steps is not None and step + 1 not in self.steps:
            return latent
        context = context.drawn(self.draw)
        if self.part in ("latent_text", "latent") and latent.text is not None:
            new = self.source.values(latent.text[:, None], "latent_text", step, context)
            latent = latent.replace(text=new[:, 0])
        if self.part in ("latent_vision", "latent") and latent.vision is not None:
            latent = latent.replace(
                vision=self.source.values(latent.vision, "latent_vision", step, context)
            )
        return latent


@dataclass(frozen=True)
class Add:
    """Keep what the slots of a part hold, and add other vectors to it (steering)."""

    part: LatentPart
    """Which part to add to."""

    source: Source
    """Where the added vectors come from."""

    strength: float = 1.0
    """What they are multiplied by."""

    steps: tuple[int, ...] | None = None
    """At which steps, counted from 1; None means all."""

    def __post_init__(self) -> None:
        """Refuse parts and steps that there are none of."""
        check_place(self.part, self.steps)

    def edit(self, latent: Latent, step: int, context: Context) -> Latent:
        """Add to the part at the chosen steps."""
        added = Replace(self.part, self.source, self.steps).edit(latent, step, context)
        if added is latent:
            return latent
        text, vision = latent.text, latent.vision
        if text is not None and added.text is not None and added.text is not text:
            text = text + self.strength * added.text
        if vision is not None and added.vision is not None and added.vision is not vision:
            vision = vision + self.strength * added.vision
        return latent.replace(text=text, vision=vision)


def permute(part: LatentPart, order: tuple[int, ...], bank: Bank | None = None) -> Replace:
    """Permute latents over steps: step t gets the example's own latent of step order[t].

    Raises:
        UserError: `order` is not a permutation.
    """
    if sorted(order) != list(range(len(order))):
        raise UserError(f"{order} is not a permutation of the steps 0 to {len(order) - 1}")
    return Replace(part, Given(bank, order))


@dataclass(frozen=True, eq=False)
class PromptReplace:
    """The same replacement on positions of the prompt: what would any such damage do?

    The control of `Replace`. It is matched only where the positions are known to be as little
    needed as the claim says latents are (`where`). It edits embeddings before the prompt is run, so
    an arm with it has a prefix of its own.
    """

    source: Source
    """Where the new vectors come from."""

    count: int | None
    """How many positions to overwrite, drawn anew for each example, or as many as there are if
    there are fewer; None means all."""

    where: Mapping[str, Sequence[int]] | None = None
    """Positions to choose from for each example, counted from the beginning of its prompt; None
    means any, whatever stands there."""

    draw: int = 0
    """Which draw of what is random, the positions among it; see `Replace`."""

    def places(self, example: str, length: int, seed: int) -> list[int]:
        """Positions to overwrite, counted from the beginning of the prompt.

        Args:
            example: whose prompt.
            length: of the prompt, padding not counted.
            seed: the run's seed.

        Raises:
            UserError: the positions of the example are not known.
        """
        if self.where is not None and example not in self.where:
            raise UserError(f"{example}: nobody said which of its prompt may be overwritten")
        allowed = range(length) if self.where is None else self.where[example]
        stream = example_generator(example, seed + self.draw, "prompt")
        order = torch.randperm(len(allowed), generator=stream).tolist()
        return [allowed[i] for i in order[: self.count]]

    def edit_prompt(
        self,
        embeds: Float[Tensor, "batch seq hidden"],
        ordinary: Bool[Tensor, "batch seq"],
        is_image: Bool[Tensor, "batch seq"],
        context: Context,
    ) -> Float[Tensor, "batch seq hidden"]:
        """Overwrite positions of each example.

        What is put there is made for the kind of position: the deviation of words says nothing of
        image embeddings, which may be a hundred times as long.
        """
        edited = embeds.clone()
        for i, example in enumerate(context.examples):
            (real,) = ordinary[i].nonzero(as_tuple=True)
            places = real[self.places(example, len(real), context.seed)]
            if not len(places):
                continue
            old = embeds[i, places][None]
            alone = dataclasses.replace(context.drawn(self.draw), examples=(example,), patches=None)
            words, image = (
                self.source.values(old, part, 0, alone).expand_as(old) for part in PROMPT_PARTS
            )
            edited[i, places] = torch.where(is_image[i, places][:, None], image[0], words[0])
        return edited
