"""TransformerLens on a latent rollout: its hooks, names and caches, over our engine.

A bridge rewrites the model it is given: layers are wrapped, the keys of its state change, and there
is no way back. So `bridged` works on a *copy*, and doubles the memory.

A bridge also forces eager attention, everywhere. Eager attention takes an additive mask where the
engine's is boolean, and rounds otherwise than SDPA, in the vision tower too. So the implementations
that the model had are set again on the copy, and its decoder gets `attention_with_pattern`: output
and captured rows of the engine's kernel, to the bit, and beside them the weights of every query,
which `attn.hook_pattern` sees. An edit of the pattern is passed on to the output, which a bridge
over eager attention does not do. `attn.hook_attn_scores` holds the pattern too, as in any bridge
over native attention: weights *after* the softmax, and read-only.

What TransformerLens needs to know about a family is where its decoder stands, which the backbone
says, and which norms its layers have; the vision tower stays as it is. The builder used here is
private to TransformerLens 4.3, since the public one asks the hub for a tokenizer.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import PreTrainedModel

from latentlab.adapters.pattern import PATTERN_NAME
from latentlab.data.example import Example
from latentlab.errors import UserError
from latentlab.reasoner import Reasoner
from latentlab.reasoning.unrolled import Unrolled, unroll

if TYPE_CHECKING:
    from transformer_lens import ActivationCache
    from transformer_lens.model_bridge import TransformerBridge

PARTS = ("input_layernorm", "self_attn", "post_attention_layernorm", "mlp")
"""What a layer is made of at least."""

POST_NORMS = {
    "ln1_post": "post_attention_layernorm",
    "ln2": "pre_feedforward_layernorm",
    "ln2_post": "post_feedforward_layernorm",
}
"""Norms of layers that also norm what attention and MLP say (Gemma), by TransformerLens's names."""

Hook = tuple[str | Callable[[str], bool], Callable[..., Any]]
"""A hook point by name, or by a test of its name, and the function `f(value, hook)` to run there;
what it returns, unless None, takes the place of the value."""


@dataclass(frozen=True, eq=False)
class Bridged:
    """A copy of a reasoner that TransformerLens has wrapped."""

    bridge: "TransformerBridge"
    """The bridge, for everything that TransformerLens itself offers."""

    reasoner: Reasoner
    """The engine over the copy: its rollouts pass through the bridge's hook points."""

    def run_with_cache(
        self,
        examples: Sequence[Example],
        names_filter: str | list[str] | Callable[[str], bool] | None = None,
        seed: int = 0,
    ) -> tuple[Float[Tensor, "batch seq vocab"], "ActivationCache", Unrolled]:
        """Run examples to their answer marker, and the unrolled sequence once more with a cache.

        Args:
            examples: what to ask.
            names_filter: which hook points to keep, as in TransformerLens; None keeps all.
            seed: seed of random picks.

        Returns:
            The logits of every position; the cache, by TransformerLens's names, such as
            `cache["blocks.1.hook_out"]` (batch, position, hidden) or `cache["pattern", 1]`
            (batch, head, query, key); and the sequence, whose `newest(t)` and `slots(t, kind)` say
            at which positions latent step t stands.
        """
        reasoner = self.reasoner
        batch = reasoner.batch(examples)
        rollout = reasoner.rollout(seed=seed)
        _, unrolled = unroll(rollout, batch, reasoner.prompter.marker_ids)
        backbone = reasoner.backbone
        deep = {} if unrolled.deep is None else backbone.deep_inputs(unrolled.deep)
        with torch.no_grad(), _given(backbone.decoder, deep):
            logits, kept = self.bridge.run_with_cache(
                unrolled.embeds,
                names_filter=names_filter,
                position_ids=unrolled.positions,
                attention_mask=unrolled.masks(backbone),
            )
        return logits, kept, unrolled

    def hooks(self, fwd_hooks: Sequence[Hook]) -> AbstractContextManager[Any]:
        """Set TransformerLens hooks under which `reasoner` runs its rollouts.

        A hook fires in every pass of a rollout: in the prompt and at each latent step. The
        rollout's `pass_index` tells which one it is.
        """
        context: AbstractContextManager[Any] = self.bridge.hooks(fwd_hooks=list(fwd_hooks))
        return context


def bridged(reasoner: Reasoner) -> Bridged:
    """Wrap a copy of a reasoner's model in a TransformerBridge; the model itself is not touched.

    Raises:
        UserError: the layers of this family are built otherwise than TransformerLens is told.
    """
    from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

    name = type(reasoner.backbone.model).__name__
    layer = reasoner.backbone.layers[0]
    if lacking := [part for part in PARTS if not hasattr(layer, part)]:
        raise UserError(f"no TransformerLens bridge for {name}: its layers have no {lacking[0]}")
    modules = reasoner.backbone.model.named_modules()
    decoder = {module: path for path, module in modules}[reasoner.backbone.decoder]
    _register(name, decoder, hasattr(layer, POST_NORMS["ln2"]))
    model = copy.deepcopy(reasoner.backbone.model)
    implementations = _implementations(model)
    bridge = build_bridge_from_module(model, name, hf_config=model.config, model_name=name)
    backbone = type(reasoner.backbone)(model, reasoner.backbone.image_processor)
    model.set_attn_implementation(implementations)
    backbone._set_attention(PATTERN_NAME)
    for index in range(backbone.n_layers):
        # The bridge hands `hook_pattern` to attention that says it will call it.
        attn: Any = backbone.attention(index)
        attn.original_component.accepts_pattern_fn = True
    prompter = copy.copy(reasoner.prompter)
    prompter.backbone = backbone
    plan, placeholder = reasoner.plan, reasoner.placeholder_id
    return Bridged(bridge, Reasoner(backbone, plan, prompter, placeholder, reasoner.name))


def _implementations(model: PreTrainedModel) -> dict[str, str]:
    """Attention of a model and its parts, as `set_attn_implementation` takes it."""
    config: Any = model.config
    parts = {name: getattr(config, name)._attn_implementation for name in config.sub_configs}
    return {"": config._attn_implementation, **parts}


@contextmanager
def _given(decoder: nn.Module, more: dict[str, Any]) -> Iterator[None]:
    """Hand further arguments to a decoder: a bridge passes on those of the whole model only."""

    def add(module: nn.Module, args: Any, inputs: dict[str, Any]) -> Any:
        return args, {**inputs, **more}

    handle = decoder.register_forward_pre_hook(add, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


@cache
def _register(name: str, decoder: str, post_norms: bool) -> None:
    """Tell TransformerLens about a family: a decoder with rotary positions and gated MLPs.

    Args:
        name: the transformers class.
        decoder: where its decoder stands.
        post_norms: whether its layers have `POST_NORMS`.
    """
    from transformer_lens.factories.architecture_adapter_factory import ArchitectureAdapterFactory
    from transformer_lens.model_bridge.architecture_adapter import ArchitectureAdapter
    from transformer_lens.model_bridge.generalized_components import (
        AttentionBridge,
        BlockBridge,
        EmbeddingBridge,
        LinearBridge,
        RMSNormalizationBridge,
        UnembeddingBridge,
    )

    norms = {"ln1": "input_layernorm", "ln2": "post_attention_layernorm"}
    if post_norms:
        norms |= POST_NORMS

    class Adapter(ArchitectureAdapter):
        def __init__(self, cfg: Any) -> None:
            super().__init__(cfg)
            self._set_rms_rotary_defaults()
            self.cfg.default_prepend_bos = False
            self.weight_processing_conversions = {
                **self._qkvo_weight_conversions(include_biases=True)
            }

            def norm(name: str) -> Any:
                return RMSNormalizationBridge(name=name, config=self.cfg)

            linear: dict[str, Any] = {part: LinearBridge(name=f"{part}_proj") for part in "qkvo"}
            # Positions and the norms of queries and keys stay in the family's own attention.
            attn = AttentionBridge(
                name="self_attn",
                config=self.cfg,
                submodules=linear,
                maintain_native_attention=True,
                requires_attention_mask=True,
            )
            block = {
                **{part: norm(path) for part, path in norms.items()},
                "attn": attn,
                "mlp": self._gated_mlp(),
            }
            self.component_mapping = {
                "embed": EmbeddingBridge(name=f"{decoder}.embed_tokens"),
                "blocks": BlockBridge(name=f"{decoder}.layers", submodules=block),
                "ln_final": norm(f"{decoder}.norm"),
                "unembed": UnembeddingBridge(name="lm_head", config=self.cfg),
            }

    ArchitectureAdapterFactory.register_adapter(name, Adapter)
