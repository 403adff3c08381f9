"""Perturbed inputs: the same example with another picture, a spoilt one, or another question.

A perturbation is a function from an example to an example that depends on the example's id and a
seed, never on the batch. It keeps the id, so that whatever a model draws at random stays the same,
the options, so that runs can be compared option by option, and the size of the picture, so that no
position of the prompt moves. The answer of the new example is the one that is right for it, and
empty where nobody knows; a trace that has lost its meaning stays, for models that are told by it
where to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import get_args
from zlib import crc32

import numpy as np

from latentlab.data import counterfactual, pictures
from latentlab.data.benchmark import Benchmark
from latentlab.data.example import Example, Trace
from latentlab.data.pictures import Grid
from latentlab.errors import UserError, did_you_mean
from latentlab.vocabulary import PerturbationName

NEEDS: dict[PerturbationName, str] = {
    "none": "",
    "other_image": "pictures",
    "blank": "pictures",
    "noise": "pictures",
    "shuffle": "pictures",
    "mask_needed": "traces",
    "mask_other": "traces",
    "relink": "the benchmark",
    "restart": "traces",
    "shuffle_words": "",
}
"""What examples have to have, or to come from, for each perturbation."""


@dataclass(frozen=True)
class Perturbation:
    """One way to change an example."""

    name: str
    """What is done, as tables name it, e.g. "relink" or "noise 0.5"."""

    needs: str
    """What the examples must have: nothing, pictures, traces, or be of the benchmark."""

    edit: Callable[[Example], Example | None]
    """Makes the new example; None where the example does not allow it."""

    hop: int | None = None
    """The hop that it concerns, counted from 1; None where it concerns no single one."""

    @property
    def label(self) -> str:
        """Name and hop, for messages."""
        return self.name if self.hop is None else f"{self.name} hop {self.hop}"


@dataclass(frozen=True)
class Surroundings:
    """What perturbations may know beside the example."""

    examples: Sequence[Example]
    """All examples of the study, which lend each other their pictures."""

    grid: Callable[[Example], Grid]
    """Rows and columns of visual tokens that a model makes of an example's picture."""

    benchmark: Benchmark | None = None
    """Where the examples come from, if that is the benchmark."""

    seed: int = 0
    """Seed of all that is drawn."""


def perturbations(
    names: Iterable[PerturbationName],
    around: Surroundings,
    hops: Sequence[int] = (),
    strengths: Sequence[float] = (0.5,),
) -> list[Perturbation]:
    """Make perturbations by name.

    Args:
        names: which; `mask_needed` and `relink` give one for each hop, `noise` for each strength.
        around: what they may know.
        hops: hops whose mark is masked or changed, counted from 1; none means every hop that a
            question has.
        strengths: share of noise in the mixture with the picture, from 0 to 1.

    Raises:
        UserError: a name, a hop or a strength is none.
    """
    most = max((example.hops or 1 for example in around.examples), default=1)
    made: list[Perturbation] = []
    for name in dict.fromkeys(names):
        if name not in NEEDS:
            hint = did_you_mean(name, get_args(PerturbationName))
            raise UserError(f"there is no perturbation {name!r}; {hint}")
        if name in ("mask_needed", "relink"):
            made += [_of_hop(name, hop, around) for hop in (hops or range(1, most + 1))]
        elif name == "noise":
            made += [_noise(strength, around.seed) for strength in strengths]
        else:
            edit = _PLAIN[name]
            made.append(Perturbation(name, NEEDS[name], _bound(edit, around)))
    return made


def _bound(
    edit: Callable[[Example, Surroundings], Example | None], around: Surroundings
) -> Callable[[Example], Example | None]:
    return lambda example: edit(example, around)


def _none(example: Example, around: Surroundings) -> Example:
    """The zero perturbation: the same input, run once more."""
    return example


def _other_image(example: Example, around: Surroundings) -> Example | None:
    """The picture of another example, of the same domain where there is one, in this one's size."""
    if example.image is None:
        return None
    stream = example_stream(example, around.seed, "other_image")
    found: Example | None = None
    for i in stream.permutation(len(around.examples)).tolist():
        other = around.examples[i]
        if other.id == example.id or other.image is None:
            continue
        found = found or other
        if other.domain == example.domain:
            found = other
            break
    if found is None or found.image is None:
        return None
    return replace(example, image=found.image.resize(example.image.size), answer="")


def _blank(example: Example, around: Surroundings) -> Example | None:
    """Nothing but the picture's mean colour."""
    if example.image is None:
        return None
    return replace(example, image=pictures.fill(example.image), answer="")


def _noise(strength: float, seed: int) -> Perturbation:
    """A mixture of the picture with noise; the right answer stays what it is."""
    if not 0 <= strength <= 1:
        raise UserError(f"noise of strength {strength:g}: choose 0 (none) to 1 (nothing else)")

    def edit(example: Example) -> Example | None:
        if example.image is None:
            return None
        noisy = pictures.mix_noise(example.image, strength, example_stream(example, seed, "noise"))
        return replace(example, image=noisy)

    return Perturbation(f"noise {strength:g}", NEEDS["noise"], edit)


def _shuffle(example: Example, around: Surroundings) -> Example | None:
    """The picture's patches in another order.

    Where they are the cells of the trace every cell keeps its object and its mark, so that all
    objects stand elsewhere and the answer is the same.
    """
    if example.image is None:
        return None
    grid = around.grid(example)
    cells = grid[0] * grid[1]
    source = example_stream(example, around.seed, "shuffle").permutation(cells)
    image = pictures.rearrange(example.image, grid, source)
    trace = example.trace
    if trace is None or pictures.cell_grid(example.image.size, len(trace.objects)) != grid:
        return replace(example, image=image, answer="")
    new = np.argsort(source)  # where each old cell went
    moved = Trace(
        cells=tuple(int(new[cell]) for cell in trace.cells),
        objects=tuple(trace.objects[old] for old in source),
        links=tuple(int(new[trace.links[old]]) for old in source),
        scans=tuple(trace.scans[old] for old in source) if trace.scans else (),
    )
    return replace(example, image=image, trace=moved)


def _of_hop(name: PerturbationName, hop: int, around: Surroundings) -> Perturbation:
    """A perturbation of the mark that one hop reads."""
    if hop < 1:
        raise UserError(f"{name} of hop {hop}: hops are counted from 1")

    def edit(example: Example) -> Example | None:
        if name == "mask_needed":
            return counterfactual.mask_needed(example, hop)
        if around.benchmark is None:
            return None
        stream = example_stream(example, around.seed, f"relink {hop}")
        return counterfactual.relink(example, hop, around.benchmark, stream)

    return Perturbation(name, NEEDS[name], edit, hop)


def _mask_other(example: Example, around: Surroundings) -> Example | None:
    """A cell off the walk blanked."""
    return counterfactual.mask_other(example, example_stream(example, around.seed, "mask_other"))


def _restart(example: Example, around: Surroundings) -> Example | None:
    """The walk begun at another object."""
    return counterfactual.restart(example, example_stream(example, around.seed, "restart"))


def _shuffle_words(example: Example, around: Surroundings) -> Example | None:
    """The question's words in another order; names that the trace knows stay whole."""
    names = example.trace.objects if example.trace else ()
    words = re.findall("|".join([*map(re.escape, names), r"\S+"]), example.question)
    if len(set(words)) < 2:
        return None
    stream = example_stream(example, around.seed, "shuffle_words")
    shuffled = words
    while shuffled == words:
        shuffled = [words[i] for i in stream.permutation(len(words)).tolist()]
    return replace(example, question=" ".join(shuffled), answer="")


def example_stream(example: Example, seed: int, purpose: str) -> np.random.Generator:
    """A random stream of one example and purpose."""
    return np.random.default_rng((seed, crc32(f"{example.id}/{purpose}".encode())))


_PLAIN: dict[str, Callable[[Example, Surroundings], Example | None]] = {
    "none": _none,
    "other_image": _other_image,
    "blank": _blank,
    "shuffle": _shuffle,
    "mask_other": _mask_other,
    "restart": _restart,
    "shuffle_words": _shuffle_words,
}
