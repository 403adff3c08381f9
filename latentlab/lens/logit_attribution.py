"""Direct logit attribution: which part of the last position's stream makes the answer's logit.

The residual stream is a sum: the embedding, and what each layer's attention and MLP add. With the
scale of the final norm held fixed (Elhage et al., "A Mathematical Framework for Transformer
Circuits", 2021) a logit is linear in the stream, so every part has its share of it. Attention's
part is itself a sum over the positions attended to: weight x value x output projection (the OV
circuit). So it can be told how much came straight from the image, the question, each latent step.

Only direct paths are seen: what a latent gave to an MLP, or to another position, counts as that
one's. A share is no effect; for effects, patch.
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from latentlab.backbones import Backbone, Capture
from latentlab.errors import UserError
from latentlab.lens.logit_lens import final_norm
from latentlab.lora import weight_of
from latentlab.reasoning.activations import Site, record
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.unrolled import Unrolled
from latentlab.reasoning.visibility import Kind

TOTAL = "total"
"""Component of a row that holds the whole logit difference."""

TOLERANCE = 0.02
"""Share of the parts' size by which their sum may miss the logit, in low precision; a layer built
otherwise than assumed misses by far more."""


@dataclass(frozen=True, order=True)
class LogitPart:
    """One term of the sum."""

    component: str
    """embed, attn_out, mlp_out, or bias (of attention's output projection)."""

    layer: int | None = None
    """Decoder layer, from 0; None for the embedding."""

    source: str | None = None
    """Of attn_out: what was attended to (`Kind`, in lower case)."""

    step: int | None = None
    """Of attn_out: the latent step whose slots were attended to."""


@dataclass(frozen=True)
class Attribution:
    """The parts of a logit; they sum to it."""

    parts: tuple[LogitPart, ...]
    """What each row of `shares` is of."""

    shares: Float[Tensor, "parts batch vocab"]
    """What each part adds to the logit of each token asked for."""

    total: Float[Tensor, "batch vocab"]
    """The logits themselves."""


@torch.no_grad()
def attribute(
    rollout: Rollout, unrolled: Unrolled, tokens: Int[Tensor, "batch vocab"]
) -> Attribution:
    """Decompose logits of the last position.

    Args:
        rollout: the engine that grew the sequence.
        unrolled: the sequence; its last position says the answer.
        tokens: ids of the tokens whose logits are asked for, for each example.

    Raises:
        UserError: the parts do not sum to the logit, since the layers of this model do not just
            add attention and MLP to the stream.
    """
    backbone = rollout.backbone
    capture = Capture()
    with record(rollout, components=("resid_post", "attn_out", "mlp_out")) as kept:
        hidden, cache = unrolled.forward(backbone, capture)
    pass_index, last = rollout.pass_index, backbone.n_layers - 1
    model: Any = backbone.model
    head: Tensor = model.get_output_embeddings().weight
    stream = kept[Site(pass_index, last)].float()
    scale = _frozen_scale(backbone, final_norm(backbone), stream)
    directions = scale * head[tokens].float().transpose(0, 1)
    labels, vectors = [LogitPart("embed")], [unrolled.embeds[:, -1]]
    sources, cached = _sources(unrolled), cast(list[Any], cache.layers)
    for layer in range(backbone.n_layers):
        attended = _by_source(backbone, layer, capture.rows[layer], cached[layer].values, sources)
        labels += [LogitPart("attn_out", layer, source, step) for source, step in sources]
        project: Any = backbone.attention(layer).get_submodule("o_proj")
        bias: Tensor | None = project.bias
        if bias is not None:
            labels.append(LogitPart("bias", layer))
            attended.append(bias.expand_as(vectors[0]))
        vectors += _normed(backbone, layer, attended)
        labels.append(LogitPart("mlp_out", layer))
        vectors.append(kept[Site(pass_index, layer, "mlp_out")])
    shares = torch.einsum("pbh,vbh->pbv", torch.stack(vectors).float(), directions)
    total = backbone.logits(hidden[:, -1]).float().gather(1, tokens)
    missing = (shares.sum(0) - total).abs() > TOLERANCE * (1 + shares.abs().sum(0))
    if bool(missing.any()):
        raise UserError(
            "the logit of the answer is not the sum of what attention and MLPs add: this family of "
            "models is built otherwise, so direct logit attribution does not apply"
        )
    return Attribution(tuple(labels), shares, total)


def _normed(
    backbone: Backbone, layer: int, parts: list[Float[Tensor, "batch hidden"]]
) -> list[Float[Tensor, "batch hidden"]]:
    """What attention adds, in families that norm it first: parts under the scale of their sum."""
    norm = backbone.attention_norm(layer)
    if norm is None:
        return parts
    scale = _frozen_scale(backbone, norm, torch.stack(parts).sum(0))
    return [scale * part for part in parts]


def _frozen_scale(
    backbone: Backbone, norm: nn.Module, stream: Float[Tensor, "batch hidden"]
) -> Float[Tensor, "batch hidden"]:
    """What an RMS norm multiplies this stream with: its gain / root mean square."""
    kept = backbone.gain(norm)
    weight = kept.float()
    scaled = weight * stream
    normed: Tensor = norm(stream.to(kept.dtype)).float()
    return weight * (normed * scaled).sum(-1, keepdim=True) / scaled.square().sum(-1, keepdim=True)


def _sources(unrolled: Unrolled) -> dict[tuple[str, int | None], Float[Tensor, "batch seq"]]:
    """Which positions belong to which source: kinds, and for latents steps as well."""
    found: dict[tuple[str, int | None], Tensor] = {}
    for kind in Kind:
        where = unrolled.kinds == kind
        if kind == Kind.PAD or not bool(where.any()):
            continue
        latent = kind in (Kind.LATENT_VISION, Kind.LATENT_TEXT)
        passes = sorted(set(unrolled.pass_index[where.any(0)].tolist())) if latent else [None]
        for pass_index in passes:
            here = where if pass_index is None else where & (unrolled.pass_index == pass_index)
            found[kind.name.lower(), pass_index] = here.float()
    return found


def _by_source(
    backbone: Backbone,
    layer: int,
    row: Float[Tensor, "batch heads keys"],
    values: Float[Tensor, "batch kv_heads keys dim"],
    sources: dict[tuple[str, int | None], Float[Tensor, "batch keys"]],
) -> list[Float[Tensor, "batch hidden"]]:
    """What each source gives to the last position through a layer's OV circuit."""
    values = values.repeat_interleave(row.shape[1] // values.shape[1], dim=1).float()
    weight = weight_of(backbone.attention(layer).get_submodule("o_proj"))
    masks = torch.stack(list(sources.values()))
    mixed = torch.einsum("sbk,bhk,bhkd->sbhd", masks, row, values).flatten(2)
    return list((mixed @ weight.float().T).unbind(0))
