"""The layout of a published checkpoint: what each key is, and whether all parts are there.

The released code saves the state of its wrapper: `base_causallm` is peft's wrapper of the model,
hence the prefix; adapted projections have a `base_layer` and adapters beside it; `embedding` is the
model's token table once more, by another name. Trainers may put `module.` before all of it. Below
the prefix weights are called as the transformers of that time called them: transformers itself
knows which name of its own each older one has become, for every family.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor
from transformers import PreTrainedModel
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightRenaming, rename_source_key

from latentlab.errors import UserError
from latentlab.lora import adapter_names

PREFIXES = ("module.", "base_causallm.", "base_model.model.")
"""What stands before the names of the model, from the outside in; each may be missing."""

TABLE = "embedding.weight"
"""The wrapper's own name of the token table."""

_ADAPTER = re.compile(r"(?P<module>.+)\.(?P<part>lora_[AB])(\.\w+)?\.weight")
_TOLD = 3
"""Keys of a kind that a message names."""

Part = Literal["weight", "lora_A", "lora_B", "table"]
_OTHER: dict[Part, Part] = {"lora_A": "lora_B", "lora_B": "lora_A"}
"""A matrix of an adapter, and the one that has to be there too."""


class Place(NamedTuple):
    """What a key of a published checkpoint is."""

    part: Part
    """A weight, a matrix of its adapter, or the token table once more."""

    name: str
    """The weight, as the model of this transformers calls it."""


@dataclass(frozen=True)
class Published:
    """A published checkpoint, sorted and complete."""

    places: dict[str, Place]
    """What each of its keys is, in the order of the file."""

    weights: dict[str, Tensor]
    """Every weight by the name in the model, without adapters."""

    adapters: dict[str, Tensor]
    """Every matrix of an adapter, by its name in peft's file."""

    rank: int
    """LoRA's rank; 0 without adapters."""

    @property
    def adapted(self) -> list[str]:
        """Names of the weights that have adapters, in order."""
        return sorted(place.name for place in self.places.values() if place.part == "lora_A")


def renamer(model: PreTrainedModel) -> Callable[[str], str]:
    """What this transformers calls a weight that an older or newer file calls otherwise.

    Args:
        model: of the family; its weights may be on the meta device.
    """
    mapping = get_model_conversion_mapping(model)
    renamings = [rule for rule in mapping if isinstance(rule, WeightRenaming)]
    state, prefix = model.state_dict(), model.base_model_prefix
    return lambda name: rename_source_key(name, renamings, [], prefix, state)[0]


def places_of(keys: Iterable[str], model: PreTrainedModel) -> dict[str, Place]:
    """Say what each key of a published checkpoint is; of what, is not checked."""
    rename, token_table = renamer(model), table_of(model)
    places = {}
    for key in keys:
        name = key
        for prefix in PREFIXES:
            name = name.removeprefix(prefix)
        if name == TABLE:
            places[key] = Place("table", token_table)
        elif match := _ADAPTER.fullmatch(name):
            part: Part = "lora_A" if match["part"] == "lora_A" else "lora_B"
            places[key] = Place(part, rename(f"{match['module']}.weight"))
        else:
            places[key] = Place("weight", rename(name.replace(".base_layer.", ".")))
    return places


def table_of(model: PreTrainedModel) -> str:
    """What a model calls its token table."""
    table = model.get_input_embeddings().weight
    return next(name for name, weight in model.named_parameters() if weight is table)


def sort_state(state: Mapping[str, Tensor], model: PreTrainedModel, told: str) -> Published:
    """Sort the state of a published checkpoint into weights and adapters, and miss none.

    Args:
        state: its tensors by its keys.
        model: of its size, for names and shapes; it may be on the meta device.
        told: what a message says of the two.

    Raises:
        UserError: keys are missing, unknown or of another shape, or a tensor that stands under two
            names is not the same under both.
    """
    places = places_of(state, model)
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    tied = model.all_tied_weights_keys
    ranks = (len(state[k]) for k, p in places.items() if p.part == "lora_A" and state[k].ndim)
    rank = next(ranks, 0)
    found = set(places.values())
    needed = [Place("weight", name) for name in shapes if name not in tied]
    needed += [Place(_OTHER[part], name) for part, name in places.values() if part in _OTHER]
    unknown = [key for key, place in places.items() if place.name not in shapes]
    wrong = []
    for key, place in places.items():
        if place.name in shapes:
            shape, wanted = tuple(state[key].shape), _shape(place.part, shapes[place.name], rank)
            if shape != wanted:
                wrong.append(f"{key} {shape} in place of {wanted}")
    lacking = [
        name if part == "weight" else f"{part} of {name}"
        for part, name in needed
        if Place(part, name) not in found
    ]
    problems = (
        _listed("lacks {}", lacking),
        _listed("has {} that the base has not", unknown),
        _listed("has {} of another shape", wrong),
    )
    if any(problems):
        raise UserError(f"{told}: it {', it '.join(filter(None, problems))}; nothing was written")
    return _published(state, places, rank, tied, told)


def _published(
    state: Mapping[str, Tensor],
    places: dict[str, Place],
    rank: int,
    tied: Mapping[str, str],
    told: str,
) -> Published:
    """Put each tensor where it belongs."""
    weights: dict[str, Tensor] = {}
    adapters: dict[str, Tensor] = {}
    for key, (part, name) in places.items():
        if part in _OTHER:
            a, b = adapter_names(name.removesuffix(".weight"))
            adapters[a if part == "lora_A" else b] = state[key]
        elif name in weights and not weights[name].equal(state[key]):
            raise UserError(f"{told}: it has {name} twice, each another; nothing was written")
        else:
            weights[name] = state[key]
    for name, source in tied.items():
        if name in weights and not weights.pop(name).equal(weights[source]):
            raise UserError(
                f"{told}: its {name} is not its {source}, but in the base they are one; nothing "
                "was written"
            )
    return Published(places, weights, adapters, rank)


def _shape(part: Part, weight: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """The shape of what belongs to a weight."""
    if part == "lora_A":
        return (rank, *weight[1:])
    return (weight[0], rank) if part == "lora_B" else weight


def _listed(problem: str, keys: list[str]) -> str:
    """How many keys have a problem, and the first few of them; empty without any."""
    if not keys:
        return ""
    rest = f" and {len(keys) - _TOLD} more" if len(keys) > _TOLD else ""
    return f"{problem.format(len(keys))} ({', '.join(keys[:_TOLD])}{rest})"
