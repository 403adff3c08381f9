"""A fake model that says what a test wants, and examples to ask it."""

from collections.abc import Sequence

from PIL import Image

from latentlab.data.example import Example
from latentlab.methods.call import Call
from latentlab.methods.speaker import Said

CHOICES = ("red circle", "blue square")


def example(name: str = "e", width: int = 80, height: int = 60) -> Example:
    picture = Image.new("RGB", (width, height), (200, 30, 30))
    return Example(name, "What is shown here?", CHOICES, CHOICES[1], picture)


class Script:
    """Says the lines of each example one after the other, each at a cost of its own."""

    def __init__(self, **lines: Sequence[str]) -> None:
        self.lines = {name: list(said) for name, said in lines.items()}
        self.calls: list[tuple[str, Call]] = []
        self.rounds: list[list[str]] = []

    def say(self, calls, names, options):
        self.rounds.append(list(names))
        self.calls += zip(names, calls, strict=True)
        return [
            Said(
                self.lines[name].pop(0),
                tuple(-float(i) for i, _ in enumerate(row)),
                new_tokens=3,
                latent_steps=1,
                forward_tokens=10,
                pictures=len(call.pictures),
                seconds=0.5,
            )
            for call, name, row in zip(calls, names, options, strict=True)
        ]

    def words(self, call: int) -> str:
        """All words of a call, pictures left out."""
        turns = self.calls[call][1].turns
        return "\n".join(p for turn in turns for p in turn.parts if isinstance(p, str))
