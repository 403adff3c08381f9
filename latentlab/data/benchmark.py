"""The diagnostic benchmark: multi-hop look-up in a picture, with every hop known.

Each cell of a 4x4 picture shows a big glyph, its object, and a small mark that names the object of
another cell. "Follow four hops from the red circle." asks for the object four marks further on.
Every hop needs the picture; the rationale names the objects on the way but never the last one; the
options are objects of the same picture, so that the text alone says nothing about the answer.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, replace
from itertools import accumulate
from math import inf

import numpy as np

from latentlab.data.example import LONGEST, Example, Trace, traced
from latentlab.data.glyphs import SPLITS, Split
from latentlab.data.scene import CELLS, Scene, draw_scene, object_names, render
from latentlab.data.sequence import Examples
from latentlab.data.sprites import DOMAINS
from latentlab.errors import UserError, did_you_mean

CHOICES = 4
"""Options of every question."""

LARGEST = 10**9
"""Examples of the largest benchmark."""

NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")

# A low-discrepancy sequence (its steps are powers of the root of x**4 = x + 1) spreads examples
# over domains, topics and hops: any run of indices has near enough its share of all combinations.
_STEPS = (0.8191725133961645, 0.6710436067037893, 0.5497004779019703)


@dataclass(frozen=True)
class BenchmarkConfig:
    """What the benchmark asks, and how often.

    Raises:
        UserError: A name is unknown, a number out of range, or weights do not fit.
    """

    split: Split = "test"
    """Splits share neither scenes, nor scans of digits, nor noise."""

    seed: int = 0
    """Another seed gives other examples of the same split."""

    domains: tuple[str, ...] = tuple(DOMAINS)
    """Visual vocabularies to ask about."""

    domain_weights: tuple[float, ...] | None = None
    """Relative share of each domain, or None for equal shares."""

    hops: tuple[int, ...] = (4,)
    """Numbers of hops to ask for, from 1 to 8."""

    hop_weights: tuple[float, ...] | None = None
    """Relative share of each number of hops, or None for equal shares."""

    size: int = 2000
    """Number of examples."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot be met."""
        for name, known in ((self.split, SPLITS), *((domain, DOMAINS) for domain in self.domains)):
            if name not in known:
                raise UserError(f"benchmark: unknown name {name!r}, {did_you_mean(name, known)}")
        if not all(1 <= hops <= LONGEST for hops in self.hops):
            raise UserError(f"benchmark: hops are {self.hops}, each must be 1 to {LONGEST}")
        if self.seed < 0 or self.size < 1:
            raise UserError("benchmark: seed must be at least 0 and size at least 1")
        if self.size > LARGEST:
            raise UserError(f"benchmark: size is more than {LARGEST:,}")
        _ends(self.domains, self.domain_weights)
        _ends(self.hops, self.hop_weights)


class Benchmark(Examples):
    """Examples that depend on the configuration and their index alone, not on their order."""

    def __init__(self, config: BenchmarkConfig | None = None) -> None:
        """Make a benchmark, by default the test split of all domains at four hops."""
        self.config = config or BenchmarkConfig()
        self._domain_ends = _ends(self.config.domains, self.config.domain_weights)
        self._hop_ends = _ends(self.config.hops, self.config.hop_weights)

    def __len__(self) -> int:
        """Number of examples."""
        return self.config.size

    def make(self, index: int) -> Example:
        """Make the example at `index`."""
        scene, hops, rng = self._draw(index)
        trace = _trace(scene, int(rng.integers(CELLS)))
        start, end = trace.cells[0], trace.cells[hops]
        wrong = [cell for cell in rng.permutation(CELLS).tolist() if cell not in (start, end)]
        options = [end, *wrong[: CHOICES - 1]]
        question, rationale = _texts(trace, hops)
        return Example(
            id=f"{self.config.split}-{self.config.seed}-{index}",
            question=question,
            choices=tuple(trace.objects[options[i]] for i in rng.permutation(CHOICES).tolist()),
            answer=trace.objects[end],
            image=render(scene),
            rationale=rationale,
            domain=scene.domain,
            topic=scene.topic,
            question_type="look-up" if hops == 1 else "chain",
            hops=hops,
            trace=trace,
        )

    def restart(self, example: Example | int, cell: int) -> Example:
        """The same picture asked about from another start: the donor of an interchange.

        The options stay as they are, except that the new answer takes the place of a wrong one if
        it is not among them: so the answers of both examples are always options of the donor.

        Args:
            example: An example of a benchmark, or an index of this one.
            cell: Row-major cell to start from.

        Raises:
            UserError: There is no such cell.
        """
        base = self[example] if isinstance(example, int) else example
        trace, _ = traced(base)
        _check("cell", cell, 0, CELLS - 1)
        moved = trace.restarted(cell)
        return _retraced(base, f"start{cell}", moved)

    def relink(self, index: int, hop: int, cell: int) -> Example:
        """The same question about the same picture, but for one mark that names another object.

        The mark read at `hop` (in the cell that hop `hop - 1` led to) names the object in `cell`.
        Glyphs, jitter and noise are kept, so that the pictures differ in that mark alone. The links
        are no longer one cycle, and the answer is what the new picture says: a walk that comes back
        to the changed mark is led to `cell` again. `counterfactual_cells` lists the cells for which
        it does not come back. Options are treated as in `restart`.

        Args:
            index: The example to change.
            hop: From 1 to the example's hops.
            cell: Row-major cell that this hop is to lead to.

        Raises:
            UserError: There is no such hop or cell.
        """
        base = self[index]
        trace, hops = traced(base)
        _check("hop", hop, 1, hops)
        changed = self.remark(index, trace.cells[hop - 1], cell)
        return replace(changed, id=f"{base.id}-hop{hop}to{cell}")

    def remark(self, index: int, mark: int, cell: int) -> Example:
        """The same question about the same picture, but for any one mark; see `relink`.

        Args:
            index: The example to change.
            mark: Row-major cell whose mark is changed, on the walk or off it.
            cell: Row-major cell whose object it is to name.

        Raises:
            UserError: There is no such cell.
        """
        base = self[index]
        _check("mark", mark, 0, CELLS - 1)
        _check("cell", cell, 0, CELLS - 1)
        scene, _, _ = self._draw(range(len(self))[index])
        links = scene.links.copy()
        links[mark] = cell
        scene = replace(scene, links=links)
        changed = _retraced(base, f"mark{mark}to{cell}", _trace(scene, traced(base)[0].cells[0]))
        return replace(changed, image=render(scene))

    @staticmethod
    def vocabulary() -> list[str]:
        """The units of questions, rationales and answers: words, and whole names of objects."""
        names = [name for domain in DOMAINS for name in object_names(domain)]
        return ["Follow", "hop", "hops", "from", "the", *NUMBERS, *names]

    def _draw(self, index: int) -> tuple[Scene, int, np.random.Generator]:
        """Scene and hops at `index`, and the generator for what is left to draw."""
        config = self.config
        rng = np.random.default_rng((SPLITS.index(config.split), config.seed, index))
        u, v, w = ((0.5 + index * step) % 1 for step in _STEPS)
        domain = config.domains[bisect(self._domain_ends, u)]
        topics = DOMAINS[domain].topics
        hops = config.hops[bisect(self._hop_ends, w)]
        return draw_scene(rng, domain, topics[int(v * len(topics))], config.split), hops, rng


def _texts(trace: Trace, hops: int) -> tuple[str, tuple[str, ...]]:
    """The question about a walk, and its rationale."""
    start, *steps = (trace.at(hop) for hop in range(hops))
    plural = "hop" if hops == 1 else "hops"
    return f"Follow {NUMBERS[hops - 1]} {plural} from the {start}.", tuple(steps)


def _retraced(base: Example, suffix: str, trace: Trace) -> Example:
    """The example with another walk, and with as many of its options as that allows."""
    _, hops = traced(base)
    question, rationale = _texts(trace, hops)
    answer = trace.at(hops)
    choices = list(base.choices)
    if answer not in choices:
        choices[(choices.index(base.answer) + 1) % len(choices)] = answer
    return replace(
        base,
        id=f"{base.id}-{suffix}",
        question=question,
        choices=tuple(choices),
        answer=answer,
        rationale=rationale,
        trace=trace,
    )


def _trace(scene: Scene, start: int) -> Trace:
    return Trace.from_start(start, scene.names, tuple(scene.links.tolist()), scene.scans)


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UserError(f"benchmark: {name} is {value}, choose {low} to {high}")


def _ends(values: tuple[object, ...], weights: tuple[float, ...] | None) -> list[float]:
    """Where the share of each value ends, when their shares fill 0 to 1 in order."""
    shares = (1.0,) * len(values) if weights is None else weights
    if not values or len(shares) != len(values) or not all(0 < one < inf for one in shares):
        raise UserError(f"benchmark: {values} need one positive weight each, got {weights}")
    total = sum(shares)
    if total == inf:
        raise UserError(
            f"benchmark: the weights {weights} add up to more than can be reckoned with"
        )
    return [*(end / total for end in list(accumulate(shares))[:-1]), 1.0]
