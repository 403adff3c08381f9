"""The model that a training begins with, and whether it knows the words it is to be trained on."""

from collections.abc import Iterator

import torch

from latentlab.checkpoint import load
from latentlab.data import Benchmark, Example
from latentlab.errors import UserError
from latentlab.prompts import Prompter, prompt_format
from latentlab.reasoner import Reasoner
from latentlab.study.understood import remark_on_words, share_unknown
from latentlab.training.config import TrainConfig
from latentlab.training.held_out import is_held_apart
from latentlab.training.opened import is_fresh, stage_examples
from latentlab.training.own import FORMAT, learned_tokenizer, own_reasoner, texts_of
from latentlab.training.tiny import TinyConfig, tiny_reasoner


def initial(config: TrainConfig, device: torch.device) -> Reasoner:
    """Load the initial model, or build it.

    Raises:
        UserError: it cannot be loaded, or no prompt format has the name that is asked for.
    """
    if config.model is not None:
        format = prompt_format(config.prompts) if config.prompts else FORMAT
        texts = texts_of(_examples(config), format)
        tokenizer = learned_tokenizer(texts, config.model.vocabulary)
        reasoner = own_reasoner(config.plan, config.model, tokenizer, config.seed, format)
    elif isinstance(config.init, TinyConfig):
        reasoner = tiny_reasoner(config.plan, config.init, config.seed)
    else:
        reasoner = load(config.init, str(device), config.plan, config.held_dtype)
    if config.model is not None or isinstance(config.init, TinyConfig):
        reasoner.backbone.model.to(getattr(torch, config.held_dtype))
    if config.prompts and config.model is None:
        words = reasoner.prompter
        reasoner.prompter = Prompter(words.tokenizer, words.backbone, prompt_format(config.prompts))
    return reasoner


def check_words(reasoner: Reasoner, config: TrainConfig) -> None:
    """See whether the initial model knows the words of the training data.

    Raises:
        UserError: a model is made from scratch for other words.
    """
    for data in dict.fromkeys(stage.data for stage in config.stages):
        if data.partition(":")[0] == "benchmark":
            continue
        examples = list(_examples(config, data))
        scratch = config.model is None and isinstance(config.init, TinyConfig)
        if scratch and (share := share_unknown(reasoner.prompter, examples)):
            raise UserError(
                f"a model made by init knows the benchmark's words, and {100 * share:.0f} % of the "
                f"words of {data} are none of them; give the training a section 'model' in place "
                "of init, whose tokenizer is learned from the data"
            )
        remark_on_words(reasoner.prompter, examples, config.name, data)


def _examples(config: TrainConfig, data: str = "") -> Iterator[Example]:
    """The training examples of all stages, or of those on some data, for their words."""
    seen = set()
    for number, stage in enumerate(config.stages):
        if stage.data in seen or data not in ("", stage.data):
            continue
        seen.add(stage.data)
        apart = is_held_apart(config, stage.data)
        examples = stage_examples(stage, config.seed, number, apart)
        if is_fresh(stage) or isinstance(examples, Benchmark):
            # Its vocabulary is known, and a picture is drawn for each example.
            text = " ".join(Benchmark.vocabulary())
            yield Example("vocabulary", text, (), text, None, rationale=(text, text))
            continue
        yield from (examples.worded(i) for i in range(len(examples)))
