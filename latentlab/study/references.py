"""What a model has in its slots on reference examples, which no study evaluates."""

from collections.abc import Mapping, Sequence
from itertools import chain

import torch
from torch import Tensor

from latentlab.data.example import Example
from latentlab.draws import example_generator
from latentlab.reasoner import Reasoner
from latentlab.reasoning.bank import Bank
from latentlab.reasoning.trajectory import Latent
from latentlab.study.batches import Numbered, over_batches


@torch.no_grad()
def reference_bank(
    reasoner: Reasoner,
    examples: Sequence[Example],
    batch_size: int = 64,
    seed: int = 0,
    ordinary: Mapping[str, Sequence[int]] | None = None,
) -> Bank:
    """Run examples undisturbed and keep their latents, for means, deviations and donors.

    Args:
        reasoner: the model.
        examples: reference examples.
        batch_size: examples per forward pass.
        seed: seed of random picks, and of which ordinary position of each prompt is kept.
        ordinary: which words of each prompt count as ordinary, counted from its beginning; all by
            default. A control that puts one prompt's word into another must not put a name there.
    """
    token = reasoner.backbone.image_token_id
    rollout = reasoner.rollout(seed=seed)

    def of_batch(numbered: Numbered) -> tuple[list[int], list[Latent], list[Tensor], list[Tensor]]:
        prompts = reasoner.batch([example for _, example in numbered])
        latents = rollout(prompts).latents
        embeds, seen = reasoner.backbone.embed(prompts), prompts.input_ids == token
        words: list[Tensor] = []
        image: list[Tensor] = []
        for i, name in enumerate(prompts.examples):
            real = prompts.attention_mask[i]
            plain = real & ~seen[i]
            if ordinary:
                plain = torch.zeros_like(real)
                plain[real.nonzero(as_tuple=True)[0][list(ordinary[name])]] = True
            for found, where in ((words, plain), (image, real & seen[i])):
                if where.any():
                    stream = example_generator(name, seed, "ordinary")
                    place = torch.randint(int(where.sum()), (), generator=stream)
                    found.append(embeds[i][where][place])
        return [index for index, _ in numbered], latents, words, image

    found = over_batches(examples, batch_size, of_batch, f"{reasoner.name}: references")
    indices, steps, words_of, image_of = zip(*found, strict=True)
    numbers, words, image = (list(chain(*of)) for of in (indices, words_of, image_of))
    names = [examples[i].id for i in numbers]
    # In the order of the data, so that a donor does not depend on the batches.
    order = torch.tensor(numbers).argsort()
    all_see = torch.stack(image) if len(image) == len(names) else None
    bank = Bank.of(names, steps, torch.stack(words), all_see)
    parts = (bank.text, bank.vision, bank.prompt, bank.image, bank.taken)
    return Bank(
        tuple(names[i] for i in order.tolist()),
        *(part if part is None else part[order] for part in parts),
    )
