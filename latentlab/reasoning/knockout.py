"""Attention knock-out: some queries do not see some keys, in all layers or in a few.

Geva et al. (2023, arXiv 2304.14767, section 5) cut the edges along which information may flow and
watch what the answer loses. What a plan's `blocked` pairs can say is said there, for every layer.
`knocked_out` says the rest: a window of layers, keys of earlier passes only, and the matched
control, which hides as many keys of the prompt drawn at random.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from latentlab.draws import example_generator
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory
from latentlab.reasoning.visibility import Kind, attention_mask, visibility_table


@dataclass(frozen=True)
class Knockout:
    """Which queries are kept from which keys.

    Raises:
        UserError: no positions have that name.
    """

    query: str
    """Name of the querying positions (`visibility.GROUPS`)."""

    key: str
    """Name of the positions they must not see."""

    earlier: bool = False
    """Whether only keys of earlier passes are hidden: a latent step still sees its own slots."""

    random: bool = False
    """The matched control: the same queries lose as many keys of the prompt instead, image and text
    alike, drawn for each example."""

    layers: tuple[int, ...] | None = None
    """In which layers, counted from 0; None means all."""

    def __post_init__(self) -> None:
        """Refuse names of nothing."""
        visibility_table([(self.query, self.key)])

    @property
    def plain(self) -> bool:
        """Whether a plan's blocked pairs can say the same."""
        return not (self.earlier or self.random)

    def acts_in(self, layer: int) -> bool:
        """Whether a layer is one of those in which it acts."""
        return self.layers is None or layer in self.layers

    def around(self, rollout: Rollout) -> AbstractContextManager[None]:
        """Apply it to what a rollout does meanwhile; as an intervention it composes with others."""
        return knocked_out(rollout, self)

    def hidden(
        self,
        visible: Bool[Tensor, "batch queries keys"],
        kinds: Int[Tensor, "batch keys"],
        priority: Float[Tensor, "batch keys"],
    ) -> Bool[Tensor, "batch queries keys"]:
        """What of the visible keys is hidden from the newest positions; never a position's own.

        Args:
            visible: what they see without the knock-out.
            kinds: the `Kind` of every position so far.
            priority: in which order the control takes keys, highest first; -inf is never taken.
        """
        n_queries, n_keys = visible.shape[1:]
        blocked = ~visibility_table([(self.query, self.key)]).to(kinds.device)
        hidden = blocked[kinds[:, -n_queries:, None].long(), kinds[:, None, :].long()] & visible
        hidden &= ~_own(n_queries, n_keys, kinds.device)
        if self.earlier:
            hidden[..., n_keys - n_queries :] = False
        if not self.random:
            return hidden
        wanted = priority[:, None, :].expand_as(visible).masked_fill(~visible, -torch.inf)
        rank = wanted.argsort(dim=-1, descending=True).argsort(dim=-1)
        return (rank < hidden.sum(-1, keepdim=True)) & wanted.isfinite()


@contextmanager
def knocked_out(rollout: Rollout, *knockouts: Knockout) -> Iterator[None]:
    """Let a rollout see less while it runs; knock-outs around one another add up.

    Rows of attention that the rollout captures are those of what is still seen.

    Args:
        rollout: the engine whose passes are cut.
        knockouts: what is not seen, and in which layers. Several of them act each on its own share
            of the rows, in order: they are runs of one batch side by side (`reasoning.together`).
    """
    runs, n_layers = len(knockouts), rollout.backbone.n_layers

    @contextmanager
    def around(state: Trajectory, kinds: Int[Tensor, "batch queries"]) -> Iterator[None]:
        all_kinds = torch.cat([state.kinds, kinds], dim=1)
        visible, size = _visible(rollout, all_kinds, kinds.shape[1]), len(kinds) // runs
        hidden = []
        for run, knockout in enumerate(knockouts):
            rows = slice(run * size, (run + 1) * size)
            names = state.batch.examples[: size if runs > 1 else None]
            priority = _priority(rollout, knockout, names, all_kinds[rows])
            hidden.append(knockout.hidden(visible[rows], all_kinds[rows], priority))
        hiding = [bool(each.any()) for each in hidden]
        hooks: dict[tuple[bool, ...], Any] = {}
        with ExitStack() as stack:
            for layer in range(n_layers):
                acts = tuple(
                    some and knockout.acts_in(layer)
                    for some, knockout in zip(hiding, knockouts, strict=True)
                )
                # Where nothing is hidden the mask stays as it is, and with it the fast path.
                if not any(acts):
                    continue
                if acts not in hooks:
                    gone = [each & one for each, one in zip(hidden, acts, strict=True)]
                    hooks[acts] = _masking((visible & ~torch.cat(gone))[:, None])
                module = rollout.backbone.attention(layer)
                handle = module.register_forward_pre_hook(hooks[acts], with_kwargs=True)
                stack.callback(handle.remove)
            yield

    rollout.around.append(around)
    try:
        yield
    finally:
        rollout.around.remove(around)


def _visible(
    rollout: Rollout, kinds: Int[Tensor, "batch keys"], n_queries: int
) -> Bool[Tensor, "batch queries keys"]:
    """What the newest positions see under the plan."""
    mask = attention_mask(kinds, n_queries, rollout.table, rollout.backbone.both_ways)
    if mask is not None:
        return mask[:, 0]
    n_keys = kinds.shape[1]
    causal = torch.ones(n_queries, n_keys, dtype=torch.bool, device=kinds.device)
    return causal.tril(n_keys - n_queries).expand(len(kinds), -1, -1)


def _priority(
    rollout: Rollout,
    knockout: Knockout,
    names: Sequence[str],
    kinds: Int[Tensor, "batch keys"],
) -> Float[Tensor, "batch keys"]:
    """The control's order of the prompt's keys, from each example's own stream."""
    draws = torch.full(kinds.shape, -torch.inf)
    if knockout.random:
        prompt = ((kinds == Kind.IMAGE) | (kinds == Kind.PROMPT)).cpu()
        # Of a state that holds every example several times in a row, all get the same keys.
        times = len(kinds) // len(names)
        for i, (draw, row) in enumerate(zip(draws, prompt, strict=True)):
            stream = example_generator(names[i // times], rollout.seed, "hidden keys")
            draw[row] = torch.rand(int(row.sum()), generator=stream)
    return draws.to(kinds.device)


def _own(n_queries: int, n_keys: int, device: torch.device) -> Bool[Tensor, "queries keys"]:
    """Where the newest positions meet themselves."""
    eye = torch.zeros(n_queries, n_keys, dtype=torch.bool, device=device)
    eye.diagonal(n_keys - n_queries).fill_(True)
    return eye


def _masking(mask: Bool[Tensor, "batch 1 queries keys"]) -> Any:
    """A pre-hook that narrows what attention sees, in the form that its implementation takes."""

    def hook(module: nn.Module, args: Any, kwargs: dict[str, Any]) -> Any:
        new: Tensor = mask
        given: Tensor | None = kwargs.get("attention_mask")
        if given is not None and given.dtype == torch.bool:
            new = mask & given  # some layers see less far than others
        config: Any = getattr(module, "config", None)
        if getattr(config, "_attn_implementation", None) == "eager":  # adds its mask to the scores
            dtype = kwargs["hidden_states"].dtype
            new = torch.zeros_like(mask, dtype=dtype).masked_fill(~mask, torch.finfo(dtype).min)
        return args, {**kwargs, "attention_mask": new}

    return hook
