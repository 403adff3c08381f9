"""The next batch is made in a second thread while the last one is trained on.

A thread, not a process: what makes batches holds the model, which a process that is spawned would
have to be sent, and one that is forked must not use once a GPU is in use. It helps where a step
leaves Python to itself, in kernels or waiting for a GPU, and where there is a second core.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from torch.utils.data import Dataset

from latentlab.training.stage_data import StageData, StageItem

Made = dict[str, Any]
"""What the trainer hands to the objective."""


class Ahead(Dataset[StageItem]):
    """Batches of a stage, each the same whether it was made ahead or not.

    It stands beneath what accelerate makes of the data, so that which examples a process takes, and
    where a resumed training begins, is decided as ever.
    """

    def __init__(
        self, data: StageData, collate: Callable[[Sequence[StageItem]], Made], stride: int
    ) -> None:
        """Keep what makes batches.

        Args:
            data: examples in training order.
            collate: makes a batch of some.
            stride: how much further on the next batch of this process stands, in examples: as many
                as all processes take at a time.
        """
        self.data = data
        self.collate = collate
        self.stride = stride
        self.waited = 0.0
        """Seconds for which batches were waited for so far."""
        self._thread = ThreadPoolExecutor(1, "latentlab-batches")
        self._next: tuple[list[int], Future[Made]] | None = None

    def __len__(self) -> int:
        """Return how many examples the stage's updates consume."""
        return len(self.data)

    def __getitem__(self, index: int) -> StageItem:
        """Return one example, by itself."""
        return self.data[index]

    def __getitems__(self, indices: list[int]) -> Made:
        """Return a batch, and have the next one made: what torch's loaders ask for.

        Raises:
            UserError: an example of this batch lacks what it needs.
        """
        started = time.perf_counter()
        try:
            if self._next is None or self._next[0] != indices:
                self._next = indices, self._thread.submit(self._made, indices)
            return self._next[1].result()
        finally:
            self.waited += time.perf_counter() - started
            following = [index + self.stride for index in indices]
            self._next = None
            if following[-1] < len(self.data):
                self._next = following, self._thread.submit(self._made, following)

    def close(self) -> None:
        """Let the thread end; a batch that nobody will take is not begun."""
        self._thread.shutdown(cancel_futures=True)

    def _made(self, indices: list[int]) -> Made:
        """Make a batch. In one thread alone: neither the data nor a tokenizer is made for two."""
        return self.collate([self.data[index] for index in indices])
