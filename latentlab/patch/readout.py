"""How the answers of a pair are read, and the rows that say what an intervention made of them.

Answers are read where they begin, at the answer marker, by the first token of each option. Their
logit difference (Heimersheim and Nanda, 2024, arXiv 2404.15255) is linear in the last residual
stream, moves before any answer flips, and needs no text to be written.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from latentlab.patch.pairs import Pair
from latentlab.reasoning.decode import append_text
from latentlab.reasoning.rollout import Rollout
from latentlab.reasoning.trajectory import Trajectory

KNOCKED_OUT = "knock-out"
"""Mode of rows whose clean run had some of its attention knocked out."""

Row = tuple[tuple[int, int], dict[str, Any]]
"""A row, and where it belongs: number of the intervention, number of the pair in its batch."""

NOWHERE: dict[str, Any] = {
    "part": "",
    "step": None,
    "n_positions": None,
    "query": "",
    "key": "",
    "control": "",
}
"""Facts of a row that an intervention has nothing for: the `part` of the sequence, the latent
`step` and how many positions are patched, the `query` and `key` of a knock-out, and what a
`control` puts in place of what is named (`unrelated`, `random`, `sham`)."""

LogitReading = tuple[list[float], list[int]]
"""Of each pair the logit difference in nats, clean answer less corrupt answer, and the index of the
option with the highest logit."""


def answer_logits(
    rollout: Rollout, state: Trajectory, marker: Sequence[int]
) -> Float[Tensor, "batch vocab"]:
    """Logits where the answer begins, with the marker right after the latent steps."""
    return append_text(rollout, state.fork(), marker)[:, -1]


class Readout:
    """What the undisturbed runs of a batch of pairs say, to compare other runs with."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        clean: Float[Tensor, "batch vocab"],
        corrupt: Float[Tensor, "batch vocab"],
    ) -> None:
        """Read the undisturbed runs.

        Args:
            pairs: what was asked.
            clean: logits of the clean run where its answer begins.
            corrupt: those of the corrupt run.
        """
        self.pairs = pairs
        width = max(len(pair.options) for pair in pairs)
        self._options = torch.tensor(
            [[*pair.options, *[-1] * (width - len(pair.options))] for pair in pairs]
        )
        self._right = torch.tensor([[p.clean_option, p.corrupt_option] for p in pairs])
        self.clean, self.corrupt = self.read(clean), self.read(corrupt)

    def read(self, logits: Float[Tensor, "batch vocab"]) -> LogitReading:
        """Read every answer off the logits where it begins."""
        scores = logits.float().cpu().gather(1, self._options.clamp(min=0))
        scores = scores.masked_fill(self._options < 0, -torch.inf)
        clean, corrupt = scores.gather(1, self._right).unbind(1)
        return (clean - corrupt).tolist(), scores.argmax(-1).tolist()

    def rows(
        self, number: int, mode: str, logits: Float[Tensor, "batch vocab"], **what: Any
    ) -> Iterator[Row]:
        """Compare a run with the undisturbed ones.

        Args:
            number: where its rows belong among those of the batch.
            mode: `restore` (of the corrupt run), `corrupt` or `knock-out` (of the clean run).
            logits: its logits where the answer begins.
            what: further columns, the same in every row.

        Yields:
            For each pair the logit differences (`clean, corrupt, patched`, in nats), whether the
            answer is the one expected (`hit`: that of the pair's other run, or under a knock-out
            the right one), whether it was before (`hit_before`), and whether the answer is another
            than before (`changed`).
        """
        differences, said = self.read(logits)
        before = self.corrupt[1] if mode == "restore" else self.clean[1]
        for i, pair in enumerate(self.pairs):
            expected = pair.corrupt_option if mode == "corrupt" else pair.clean_option
            example = pair.clean
            yield (
                (number, i),
                {
                    **dict(example.groups),
                    "example": example.id,
                    "corrupt_example": pair.corrupt.id,
                    "domain": example.domain,
                    "topic": example.topic,
                    "hops": example.hops,
                    "question_type": example.question_type,
                    "cluster": list(example.clusters),
                    "mode": mode,
                    **NOWHERE,
                    **what,
                    "clean": self.clean[0][i],
                    "corrupt": self.corrupt[0][i],
                    "patched": differences[i],
                    "hit": said[i] == expected,
                    "hit_before": before[i] == expected,
                    "changed": said[i] != before[i],
                },
            )
