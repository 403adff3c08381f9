"""Random streams: everything that is drawn for an example is drawn from a stream of its own."""

from zlib import crc32

import torch


def example_generator(example: str, seed: int, purpose: str, step: int = 0) -> torch.Generator:
    """Return a random stream of one example, the same in whatever batch it runs.

    Args:
        example: identifier of the example.
        seed: the run's seed.
        purpose: what is drawn; streams of different purposes are independent.
        step: the latent step, where there is one.
    """
    return torch.Generator().manual_seed(crc32(f"{example}/{seed}/{purpose}/{step}".encode()))
