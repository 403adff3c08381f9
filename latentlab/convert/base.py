"""What the base of a published checkpoint brings: configuration, tokenizer, and weights to compare.

As published, three tokens are added to the tokenizer, and the token table is cut or stretched to
its length; the rows are those of the checkpoint. A base that has one of the tokens keeps its place.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import safe_open
from torch import Tensor
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from latentlab.backbones import Backbone, family_of
from latentlab.checkpoint import find_checkpoint, quiet, read_json
from latentlab.convert.broken import reading
from latentlab.convert.layout import Place, places_of, renamer, table_of
from latentlab.errors import UserError

PLACEHOLDER = "<|latent|>"
TOKENS = ("<|start-latent|>", "<|end-latent|>", PLACEHOLDER)
"""What the released code adds to a tokenizer, in this order."""


@dataclass(frozen=True)
class Base:
    """A model that others trained further, without its weights."""

    folder: Path
    """Where it is."""

    family: type[Backbone]
    """Its family."""

    config: Any
    """Its configuration, with a token for each row of the checkpoint's table."""

    tokenizer: PreTrainedTokenizerBase
    """Its tokenizer, with the tokens of the release."""

    generation: GenerationConfig | None = None
    """What ends its answers, if it says so."""

    def skeleton(self) -> PreTrainedModel:
        """A model without weights, on the meta device, for names and shapes."""
        with quiet(), torch.device("meta"):
            model: Any = self.family.model_class(copy.deepcopy(self.config))
        return cast(PreTrainedModel, model)


def read_base(name: str, state: Mapping[str, Tensor]) -> Base:
    """Read what a base brings.

    Args:
        name: a folder or hub name.
        state: the checkpoint's tensors; its token table says how many tokens there are.

    Raises:
        UserError: nothing is found, a file is missing or broken, the family is unknown, or the
            tokenizer has more tokens than the checkpoint.
    """
    folder = find_checkpoint(name)
    if not (folder / "config.json").is_file():
        raise UserError(f"--base {folder} is no checkpoint: it has no config.json")
    family = family_of(str(read_json(folder / "config.json").get("model_type")))
    config_class: Any = family.model_class.config_class
    generation = None
    with reading(f"--base {folder}"):
        config = config_class.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        tokenizer.add_tokens(list(TOKENS), special_tokens=True)
        if (folder / "generation_config.json").is_file():
            generation = GenerationConfig.from_pretrained(folder)
        base = Base(folder, family, config, tokenizer, generation)
        skeleton = base.skeleton()
    table = Place("weight", table_of(skeleton))
    rows = [len(state[k]) for k, p in places_of(state, skeleton).items() if p == table]
    if rows and rows[0] < len(tokenizer):
        raise UserError(
            f"the checkpoint has {rows[0]} tokens, but the tokenizer of --base {folder} has "
            f"{len(tokenizer)} with those of the release: name the base that was trained"
        )
    if rows:
        config.get_text_config().vocab_size = rows[0]
    return base


def differing(base: Base, weights: Mapping[str, Tensor]) -> tuple[list[str], int]:
    """Compare weights that the release does not train with those of the base, in bfloat16.

    Token table and head are left out: they grow, and who trains on may train them.

    Args:
        base: a folder that may or may not hold weights.
        weights: the checkpoint's, by their names in the model, without adapters.

    Returns:
        Names of those that differ, and how many were compared.

    Raises:
        UserError: a file of the base's weights is broken.
    """
    skeleton: Any = base.skeleton()
    rename = renamer(skeleton)
    ends = (skeleton.get_input_embeddings(), skeleton.get_output_embeddings())
    grown = {end.weight.shape for end in ends}
    differ, compared = [], 0
    for path in sorted(base.folder.glob("*.safetensors")):
        with reading(f"{path}"), safe_open(path, "pt") as file:
            for key in file.keys():  # noqa: SIM118 (it is no dictionary)
                name = rename(key)
                if name not in weights or weights[name].shape in grown:
                    continue
                ours, theirs = weights[name].bfloat16(), file.get_tensor(key).bfloat16()
                compared += 1
                if not ours.equal(theirs):
                    differ.append(name)
    return differ, compared
