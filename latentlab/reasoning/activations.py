"""Reading and editing what happens inside the model while a rollout runs, with plain torch hooks.

A `Site` names a place by when (which pass of the rollout), where (layer, component, perhaps one
head) and which position of that pass. `record` keeps the newest position of every pass; `patched`
overwrites sites, and `Patch` does so as an intervention. Hooks sit on Hugging Face modules as they
are: no model is wrapped or copied, and none stays behind.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from latentlab.backbones import Backbone, Component
from latentlab.backbones.components import INPUTS
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.words import DRAFT

COMPONENTS: tuple[Component, ...] = ("resid_post", "attn_out", "mlp_out")
"""Components that come out of a layer's modules, in the order they are named in tables."""


@dataclass(frozen=True, order=True)
class Site:
    """One activation vector per example, in one pass of a rollout."""

    pass_index: int
    """When: 0 in the prompt, t at latent step t, steps + 1 in the text after them; `blocks.OPENING`
    in text by which a model opens its block of steps."""

    layer: int
    """Decoder layer, from 0."""

    component: Component = "resid_post"
    """What of the layer."""

    position: int = -1
    """Which of the positions of that pass; -1 is the newest (a step's latent text, in the released
    order of parts)."""

    head: int | None = None
    """Which head, from 0, of component `z`; None means all. `record` keeps all."""


Activations = dict[Site, Float[Tensor, "batch hidden"]]
"""Recorded vectors by site; `position` counts from the end."""


@contextmanager
def record(
    rollout: Rollout,
    layers: Collection[int] | None = None,
    components: Collection[Component] = COMPONENTS[:1],
    positions: Collection[int] = (-1,),
) -> Iterator[Activations]:
    """Keep activations of every pass of a rollout.

    Args:
        rollout: the engine whose passes are recorded.
        layers: which layers; None means all.
        components: what of each.
        positions: which positions of each pass, counted from its end: -1, -2, ... Those a pass does
            not have are left out.

    Yields:
        What is recorded; it fills while the rollout runs. A second pass of one index (further text)
        overwrites the first.
    """
    kept: Activations = {}

    def reader(layer: int, component: Component) -> Callable[[Tensor], None]:
        def read(value: Tensor) -> None:
            if rollout.pass_index == DRAFT:
                return
            for position in positions:
                if -position <= value.shape[1]:
                    site = Site(rollout.pass_index, layer, component, position)
                    kept[site] = value[:, position].detach().clone()

        return read

    backbone = rollout.backbone
    chosen = range(backbone.n_layers) if layers is None else layers
    with ExitStack() as stack:
        for layer in chosen:
            for component in components:
                handle = _hook(backbone, layer, component, reader(layer, component))
                stack.callback(handle.remove)
        yield kept


Values = Mapping[Site, Float[Tensor, "batch hidden"]]
"""What to put at which sites; one head of `z` takes (batch, dim)."""


@contextmanager
def patched(rollout: Rollout, *runs: Values) -> Iterator[None]:
    """Overwrite activations while a rollout runs (activation patching).

    Args:
        rollout: the engine whose passes are edited.
        runs: what to put where. Several of them act each on its own share of the rows, in order:
            they are runs of one batch side by side (`reasoning.together`).
    """
    n_heads = rollout.backbone.n_heads

    def writer(sites: Sequence[tuple[int, Site, Tensor]]) -> Callable[[Tensor], Tensor | None]:
        def write(value: Tensor) -> Tensor | None:
            here = [each for each in sites if each[1].pass_index == rollout.pass_index]
            if not here:
                return None
            value, size = value.clone(), len(value) // len(runs)
            for run, site, new in here:
                rows = slice(run * size, (run + 1) * size)
                value[rows, site.position, head_slice(site.head, value, n_heads)] = new.to(value)
            return value

        return write

    grouped: dict[tuple[int, Component], list[tuple[int, Site, Tensor]]] = {}
    for run, values in enumerate(runs):
        for site, new in values.items():
            grouped.setdefault((site.layer, site.component), []).append((run, site, new))
    with ExitStack() as stack:
        for (layer, component), sites in grouped.items():
            handle = _hook(rollout.backbone, layer, component, writer(sites))
            stack.callback(handle.remove)
        yield


@dataclass(frozen=True, eq=False)
class Patch:
    """Activation patching as an intervention, to be composed with others."""

    site: Site
    """The place; a position that a pass does not have is left alone."""

    vector: Float[Tensor, " hidden"] | Mapping[str, Float[Tensor, " hidden"]]
    """What is put there: one vector for all, or one for each example by its id. Examples without
    one keep what they have."""

    def around(self, rollout: Rollout) -> AbstractContextManager[None]:
        """Apply it to what a rollout does meanwhile."""
        return self._hooked(rollout)

    @contextmanager
    def _hooked(self, rollout: Rollout) -> Iterator[None]:
        site, n_heads = self.site, rollout.backbone.n_heads

        def write(computed: Tensor) -> Tensor | None:
            # Texts side by side are patched as if each were a row of its own.
            value = computed.reshape(len(computed) * rollout.branches, -1, computed.shape[-1])
            inside = -value.shape[1] <= site.position < value.shape[1]
            if site.pass_index != rollout.pass_index or not inside:
                return None
            value = value.clone()
            where = head_slice(site.head, value, n_heads)
            times = len(value) // len(rollout.examples)
            for i in range(len(value)):
                new = self._of(rollout.examples[i // times])
                if new is not None:
                    value[i, site.position, where] = new.to(value)
            return value.view_as(computed)

        handle = _hook(rollout.backbone, site.layer, site.component, write)
        try:
            yield
        finally:
            handle.remove()

    def _of(self, example: str) -> Tensor | None:
        return self.vector if isinstance(self.vector, Tensor) else self.vector.get(example)


def head_slice(head: int | None, z: Float[Tensor, "... hidden"], n_heads: int) -> slice:
    """Where the last axis of `z` holds a head; all of it where no head is named."""
    if head is None:
        return slice(None)
    dim = z.shape[-1] // n_heads
    return slice(head * dim, (head + 1) * dim)


def stacked(
    activations: Activations, passes: Collection[int], component: Component = "resid_post"
) -> Float[Tensor, "batch passes layers hidden"]:
    """Newest positions of some passes as one tensor, over passes and layers.

    Raises:
        KeyError: a pass was not recorded.
    """
    layers = sorted({site.layer for site in activations})
    rows = [
        torch.stack([activations[Site(pass_index, layer, component)] for layer in layers], dim=1)
        for pass_index in passes
    ]
    return torch.stack(rows, dim=1)


def _hook(
    backbone: Backbone,
    layer: int,
    component: Component,
    edit: Callable[[Tensor], Tensor | None],
) -> RemovableHandle:
    """Show a component to `edit` whenever it is computed; what it returns takes its place."""
    module = backbone.component(layer, component)

    def before(module: nn.Module, inputs: Any) -> Any:
        new = edit(inputs[0])
        return None if new is None else (new, *inputs[1:])

    def after(module: nn.Module, inputs: Any, output: Any) -> Any:
        new = edit(output[0] if isinstance(output, tuple) else output)
        if new is None:
            return None
        return (new, *output[1:]) if isinstance(output, tuple) else new

    if component in INPUTS:
        return module.register_forward_pre_hook(before)
    return module.register_forward_hook(after)
