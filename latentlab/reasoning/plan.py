"""The latent plan: every choice that defines how a model reasons in latent space.

The plan is data. It is saved with a model, printed with every result, and changed by a study with
`dataclasses.replace`; the rollout follows it and nothing else. Defaults are those of the released
IVT-LR code (arXiv 2510.12603) except where a field says otherwise.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Le

from latentlab.errors import UserError
from latentlab.reasoning.markers import Length, Marker, check_markers
from latentlab.reasoning.visibility import BlockedPairs, Kind, visibility_table
from latentlab.schema import STRICT, Whole, check, read
from latentlab.vocabulary import LatentPart

PartOrder = Literal["vision_text", "text_vision"]
PickOrder = Literal["score", "spatial", "published"]
Positions = Literal["flat", "mrope"]
Selection = Literal["attention", "random", "bottom", "all", "given"]
Gradient = Literal["through", "detached"]
MOST_STEPS = 1000
"""Latent steps of the longest plan; each is a pass through the model."""

MOST_PICKS = 100_000
"""Patches of a step, and positions of a stride, at most: no picture has as many."""

Content = Literal["latent", "placeholder", "words"]


@dataclass(frozen=True)
class LatentPlan:
    """How many latent steps there are, what each one appends, and who may see it."""

    __pydantic_config__: ClassVar = STRICT

    steps: Annotated[int, Ge(0), Le(MOST_STEPS)] = 3
    """Latent steps before the remaining text (T); 0 is an ordinary vision-language model."""

    k: Annotated[int, Ge(0), Le(MOST_PICKS)] = 32
    """Image embeddings re-inserted at each step; 0 leaves latent text only."""

    text: bool = True
    """Whether a step appends the last hidden state (latent text)."""

    part_order: PartOrder = "vision_text"
    """Order of the parts within a step: the released code's [z, h], or the paper's [h, z]."""

    pick_order: PickOrder = "score"
    """Order of the picks within a step: by score, by place in the image, or exactly as the
    released code's unsorted top-k returns them (needed to agree with it)."""

    positions: Positions = "flat"
    """Position ids: the released code's flat range, or M-RoPE continued after the prompt."""

    stride: Annotated[int, Ge(1), Le(MOST_PICKS)] | None = None
    """Positions one step takes up, whatever it appends; None means one for each slot. A fixed
    stride keeps later positions where training put them when k or the parts are changed. Of a step
    in words it counts the last token and the patches; words before it take one position each."""

    select: Selection = "attention"
    """How patches are picked: most attended, drawn at random, least attended, every patch, or
    given with the batch."""

    select_layers: tuple[Whole, ...] | None = None
    """Layers whose attention is averaged into the patch score; None means all."""

    reuse: bool = False
    """Whether a patch may be picked again at a later step."""

    content: Content = "latent"
    """What the slots hold: latents, or the embedding of the placeholder token (filler). With
    "words" a step has no latent text: it is written out as in chain of thought, and the attention
    of the position that ends it picks the patches (the explicit mode of IVT-LR's section 4.4). A
    model that goes on with its answer takes no more steps."""

    start_token: Marker = None
    """Token, by text or id, that opens a block of latent steps; None, as in IVT-LR, puts none."""

    end_token: Marker = None
    """Token that closes the block, appended after its last step."""

    lead: Whole = 0
    """Tokens that the model may write until it opens the block by the start token; if it does not,
    it takes no steps. With 0 the start token ends the prompt."""

    length: Length = "fixed"
    """Whether a block has all the steps, or ends before ("free") as soon as the end token is the
    likeliest to come next."""

    gradient: Gradient = "detached"
    """Whether the loss reaches earlier passes through the latent text (Coconut) or not; words are
    tokens, in which there is nothing to cut."""

    blocked: BlockedPairs = ()
    """(query, key) kinds of positions that cannot attend, e.g. (("answer", "image"),)."""

    def __post_init__(self) -> None:
        """Refuse plans that contradict themselves."""
        check(self, "the plan")
        if self.steps and not self.text and self.k == 0 and self.select != "all":
            raise UserError(
                "the plan has latent steps that append nothing; set k or text, or steps=0"
            )
        if self.in_words and not (self.text and self.part_order == "text_vision"):
            raise UserError(
                "a plan with content='words' writes each step before its patches; set text=true "
                "and part_order='text_vision'"
            )
        if len(set(self.select_layers or ())) < len(self.select_layers or ()):
            raise UserError(f"the plan names a layer twice in select_layers={self.select_layers}")
        if self.select_layers == ():
            raise UserError("the plan selects by no layer; name some in select_layers, or none")
        check_markers(self.start_token, self.end_token, self.lead, self.length, self.in_words)
        table = visibility_table(self.blocked)
        if not (self.has_vision and self.select in ("attention", "bottom")):
            return
        text_is_last = self.text and self.part_order == "vision_text"
        newest = Kind.LATENT_TEXT if text_is_last else Kind.LATENT_VISION
        first = Kind.RATIONALE if self.lead else Kind.PROMPT
        deciding = (Kind.RATIONALE,) if self.in_words else (first, newest)
        for kind in deciding[: self.steps]:
            if not table[kind, Kind.IMAGE]:
                raise UserError(
                    f"the plan picks patches by attention, but {kind.name.lower()} positions, "
                    "which decide, are blocked from the image; use another selection rule"
                )

    @property
    def has_vision(self) -> bool:
        """Whether a step re-inserts image embeddings."""
        return self.k > 0 or self.select == "all"

    @property
    def in_words(self) -> bool:
        """Whether steps are written in words (explicit mode)."""
        return self.content == "words"

    @property
    def varies(self) -> bool:
        """Whether examples may take different numbers of steps."""
        return self.lead > 0 or self.length == "free"

    @property
    def alike(self) -> bool:
        """Whether all examples take all steps, none of them in words."""
        return not self.in_words and not self.varies and self.end_token is None

    @property
    def has_text(self) -> bool:
        """Whether a step appends latent text."""
        return self.text and not self.in_words

    def has_part(self, part: LatentPart) -> bool:
        """Whether steps append a part; both together is asked of every model."""
        return {"latent_text": self.has_text, "latent_vision": self.has_vision}.get(part, True)

    def captured(self, asked: tuple[int, ...], n_layers: int) -> tuple[int, ...]:
        """Layers whose attention is kept: those asked for and those the selection averages."""
        if self.steps and self.has_vision and self.select in ("attention", "bottom"):
            return tuple(sorted({*asked, *(self.select_layers or range(n_layers))}))
        return asked

    def check_model(self, n_layers: int, layers: Sequence[int], placeholder: bool) -> None:
        """Refuse a model that cannot follow the plan.

        Args:
            n_layers: decoder layers of the model.
            layers: further layers whose attention is asked for.
            placeholder: whether the model has a placeholder token.

        Raises:
            UserError: the model lacks a layer, or the placeholder token that fills the slots, or
                markers are named by text.
        """
        for layer in (*(self.select_layers or ()), *layers):
            if not 0 <= layer < n_layers:
                raise UserError(
                    f"there is no layer {layer}; the model has layers 0 to {n_layers - 1}"
                )
        if isinstance(self.start_token, str) or isinstance(self.end_token, str):
            raise UserError("the plan names its markers by text; the engine needs their token ids")
        if self.content == "placeholder" and not placeholder:
            raise UserError(
                "the plan fills its slots with a placeholder token, which this model lacks"
            )

    def replace(self, **changes: Any) -> "LatentPlan":
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON-ready values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(
        cls, values: object, where: str = "the plan", text: str | None = None
    ) -> "LatentPlan":
        """Read a plan back from JSON values.

        Args:
            values: fields by name; those left out have their defaults.
            where: what to call them in an error.
            text: the JSON that they come from, so that an error names the line.

        Raises:
            UserError: a field is unknown, or a value is refused.
        """
        return read(cls, values, where, text)
