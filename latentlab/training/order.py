"""Which example stands where in a stage's training: a function of the seed and the place alone.

So a resumed training, and each of several processes, finds the same examples at the same places.
"""

from collections.abc import Callable
from functools import lru_cache
from zlib import crc32

import numpy as np

from latentlab.training.config import StageConfig
from latentlab.training.grouping import WINDOW, Lengths, grouped
from latentlab.training.opened import is_fresh

MEASURED = 2**20
"""Examples whose lengths are remembered."""


class Shuffled:
    """A fresh shuffle at every pass over a finite set; data without an end as it comes."""

    def __init__(self, stage: StageConfig, size: int, seed: int) -> None:
        """Keep what decides the order.

        Args:
            stage: the stage.
            size: how many examples there are.
            seed: the training's seed.
        """
        self.stage = stage
        self.size = size
        self.seed = seed
        self.is_fresh = is_fresh(stage)
        self._permutation = lru_cache(maxsize=2)(self._drawn)  # grouping looks into the next pass

    def __call__(self, index: int) -> int:
        """Where in the examples the one that stands at `index` of the training order is."""
        if self.is_fresh:
            return index
        number, offset = divmod(index, self.size)
        return self._permutation(number)[offset]

    def _drawn(self, number: int) -> list[int]:
        """The order of one pass."""
        rng = np.random.default_rng((self.seed, crc32(self.stage.name.encode()), number))
        drawn: list[int] = rng.permutation(self.size).tolist()
        return drawn


class Grouped:
    """The same passes, in which a batch's examples are about as long as each other."""

    def __init__(self, order: Shuffled, lengths: Callable[[int], Lengths], total: int) -> None:
        """Keep the order in which examples come into the windows.

        Args:
            order: the order without grouping.
            lengths: measures the example at a position.
            total: how many examples the stage consumes.
        """
        self.order = order
        self.total = total
        self.batch = order.stage.batch_size
        self._lengths = lru_cache(maxsize=MEASURED)(lengths)
        self._arranged = lru_cache(maxsize=1)(self._places)
        self._batch = -1

    def __call__(self, index: int) -> int:
        """Where in the examples the one that stands at `index` of the training order is."""
        number = index // self.batch
        if number != self._batch:
            self._batch = number
            self._look_ahead(number + WINDOW)
        span = self._window(index)
        return self.order(span.start + self._arranged(span)[index - span.start])

    def _window(self, index: int) -> range:
        """The places among which the example at `index` was moved: never those of two passes."""
        width, size = WINDOW * self.batch, self.order.size
        start, first = index // width * width, index // size * size
        return range(max(start, first), min(start + width, first + size, self.total))

    def _places(self, span: range) -> list[int]:
        """Which example of a window stands at each of its places."""
        name = crc32(self.order.stage.name.encode())
        rng = np.random.default_rng((self.order.seed, 3, name, span.start))
        lengths = [self._lengths(self.order(index)) for index in span]
        return grouped(lengths, self.batch, rng, head=-span.start % self.batch)

    def _look_ahead(self, number: int) -> None:
        """Measure a batch a window before its lengths are needed: nobody waits for a whole one."""
        for index in range(number * self.batch, min((number + 1) * self.batch, self.total)):
            self._lengths(self.order(index))
