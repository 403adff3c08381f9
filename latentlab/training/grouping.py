"""Batches of examples that are about as long as each other, so that little of them is padding.

Prompts are padded to the longest of their batch, and so is what is written after them: an example
has several lengths. A window of many batches is cut in two where the lengths differ most, and each
part again, down to single examples; batches are what stands together then, in an order drawn anew.
Shares of a batch, for passes and processes, are as alike as whole batches are.

transformers' sampler (`train_sampling_strategy="group_by_length"`) sorts by one length; by the sum
of two, the parts of an example still differ within a batch.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from latentlab.backbones import Backbone
from latentlab.data import Example
from latentlab.prompts import Prompter
from latentlab.reasoner import Reasoner
from latentlab.training.stages import StageConfig

Ints = npt.NDArray[np.int64]

WINDOW = 100
"""Batches among which examples are moved to those of their lengths: two lengths need more than the
50 that transformers takes for one."""

Lengths = tuple[int, ...]
"""How long each part of an example is that is padded by itself, in tokens."""


def grouped(
    lengths: Sequence[Lengths], batch: int, rng: np.random.Generator, head: int = 0
) -> list[int]:
    """Order a window so that examples of about the same lengths stand together.

    Args:
        lengths: those of the examples, as they come.
        batch: examples of a batch.
        rng: draws the order of the batches.
        head: examples at the front that complete a batch begun in an earlier window.

    Returns:
        Places in `lengths`, each once. The longest examples are in the batches that windows share,
        at both ends, which are alike so.
    """
    table = np.array(lengths).reshape(len(lengths), -1)
    head = min(head, len(table))
    tail = (len(table) - head) % batch
    longest: list[int] = np.argsort(-table.sum(1), kind="stable").tolist()
    ends, rest = longest[: head + tail], sorted(longest[head + tail :])
    ordered = _alike(np.array(rest, int), table, batch)
    batches = [ordered[start : start + batch] for start in range(0, len(ordered), batch)]
    middle = [place for i in rng.permutation(len(batches)) for place in batches[i]]
    return ends[:head] + middle + ends[head:]


def _alike(places: Ints, table: Ints, batch: int) -> list[int]:
    """Cut places in two along the length that differs most, until none differs."""
    spread = np.ptp(table[places], axis=0) if len(places) > 1 else np.zeros(1)
    if not spread.any():
        return [int(place) for place in places]
    places = places[np.argsort(table[places, spread.argmax()], kind="stable")]
    half = len(places) // 2
    cut = half // batch * batch if len(places) > batch else half
    return _alike(places[:cut], table, batch) + _alike(places[cut:], table, batch)


class Ruler:
    """Measures examples for one model without preparing their pictures."""

    def __init__(self, prompter: Prompter, skips: Sequence[int | None]) -> None:
        """Keep what is written after a prompt.

        Args:
            prompter: of the model that is trained.
            skips: steps of the rationale that are latent, for each number of them that is to be
                measured; None leaves out the rationale.
        """
        self.prompter = prompter
        self.skips = skips
        self._shown: dict[tuple[int, int], str] = {}

    @classmethod
    def of(cls, reasoner: Reasoner, stage: StageConfig) -> "Ruler":
        """Measures what a stage writes: after its latent steps, and after none where it replays.

        Steps that a plan writes, and the dialogues of a method, are measured as the rationales that
        they are made of.
        """
        if not stage.rationale:
            return cls(reasoner.prompter, (None,))
        latent = 0 if reasoner.plan.in_words else stage.latent_steps
        return cls(reasoner.prompter, (latent, 0) if stage.replay and latent else (latent,))

    def __call__(self, example: Example) -> Lengths:
        """Tokens of an example's prompt, and of what is written after so many latent steps."""
        prompt = self.prompter.encode(self.prompter.prompt_text(example, self._picture(example)))
        texts = [self.prompter.continuation([example], skip).ids.shape[1] for skip in self.skips]
        return (len(prompt), *texts)

    def _picture(self, example: Example) -> str:
        """What stands for an example's picture: pictures of one size take as many tokens."""
        if example.image is None:
            return ""
        size = example.image.size
        if size not in self._shown:
            backbone: Backbone = self.prompter.backbone
            self._shown[size] = backbone.prepare_images([example.image]).texts[0]
        return self._shown[size]
