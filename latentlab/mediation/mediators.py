"""The mediators and perturbations of a mediation study, as far as model and data have them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from latentlab.data import Benchmark
from latentlab.data.example import Example
from latentlab.data.perturb import Perturbation, Surroundings, perturbations
from latentlab.data.pictures import Grid
from latentlab.errors import UserError
from latentlab.mediation import in_words
from latentlab.mediation.config import MediationConfig
from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.asked import load_for
from latentlab.study.instrument import Subject
from latentlab.study.picks import check_picks
from latentlab.study.steps import same_steps
from latentlab.study.written import method_in_words
from latentlab.vocabulary import LatentPart, MediatorName, StepSets, steps_label


@dataclass(frozen=True)
class Mediator:
    """What a run takes over from the run on the other input."""

    name: MediatorName = "latents"
    """`latents`: the vectors that the steps append. `slots`: also the residual stream after every
    layer at their positions, hence all that later positions can read there."""

    part: LatentPart = "latent"
    """Latent text, latent vision, or both."""

    steps: tuple[int, ...] | None = None
    """At which steps, counted from 1; None means all. Later steps are made anew from there."""

    @property
    def steps_label(self) -> str:
        """The steps as tables name them."""
        return steps_label(self.steps)

    def of_whole(self, plan: LatentPlan) -> "Mediator":
        """The same with both parts named where a model has but one, so that it is run once."""
        both = plan.has_text and plan.has_vision
        return self if both else replace(self, part="latent")


def mediators(config: MediationConfig, plan: LatentPlan) -> list[Mediator]:
    """What the flags ask to take over, as far as a model has it."""
    # Both together are asked for even if there is but one, so that models can be compared.
    every: tuple[LatentPart, ...] = ("latent_text", "latent_vision", "latent")
    parts = [part for part in config.part or every if plan.has_part(part)]
    steps = step_sets(config.steps, plan.steps)
    return [Mediator(name, part, at) for name in config.mediator for part in parts for at in steps]


def step_sets(kinds: Sequence[StepSets], steps: int) -> list[tuple[int, ...] | None]:
    """Sets of steps, counted from 1; the set of all is None, and none comes twice."""
    made: list[tuple[int, ...] | None] = []
    for kind in kinds:
        if kind == "all":
            made.append(None)
        elif kind == "each":
            made += [(step,) for step in range(1, steps + 1)]
        else:
            made += [tuple(range(1, last + 1)) for last in range(1, steps + 1)]
    whole = tuple(range(1, steps + 1))
    return list(dict.fromkeys(None if each == whole else each for each in made))


def perturbations_of(
    config: MediationConfig, reasoner: Reasoner, examples: Sequence[Example]
) -> tuple[list[Perturbation], list[str]]:
    """The perturbations that the flags ask for and the data allows, the zero one first.

    Returns:
        The perturbations, and one line for each that is left out.

    Raises:
        UserError: none is left, or the questions do not have that many hops.
    """
    data = load_for(config)
    benchmark = data if isinstance(data, Benchmark) else None
    most = max((example.hops or 0 for example in examples), default=0)
    for hop in config.hop:
        if hop > most:
            raise UserError(f"--hop {hop}: the questions of {config.data} have {most} hops at most")
    around = Surroundings(examples, _grids(reasoner), benchmark, config.seed)
    has = {
        "": True,
        "pictures": any(example.image is not None for example in examples),
        "traces": any(example.trace is not None for example in examples),
        "the benchmark": benchmark is not None,
    }
    wanted = perturbations(("none", *config.perturb), around, config.hop, config.strength)
    kept = [edit for edit in wanted if has[edit.needs]]
    lacking = {edit.name: edit.needs for edit in wanted if not has[edit.needs]}
    left_out = [
        f"{name} needs {needs}, which --data {config.data} has not; left out"
        for name, needs in lacking.items()
    ]
    if left_out and not kept[1:]:
        raise UserError(
            f"--perturb {' '.join(config.perturb)}: --data {config.data} allows none of these"
        )
    return kept, left_out


@dataclass(frozen=True, eq=False)
class PreparedMediation:
    """What is done to one model."""

    edits: list[Perturbation]
    """Perturbations of its input, the zero one first."""

    mediators: list[Mediator]
    """What is taken from the other input; none where it is words."""


def prepare(config: MediationConfig, subject: Subject) -> PreparedMediation | None:
    """Look for what would go wrong in the middle of a run.

    Raises:
        UserError: a picture has too few patches, traces are missing where a model needs them, or
            the data allows no perturbation.
    """
    reasoner, examples = subject.reasoner, subject.examples
    plan, name = reasoner.plan, reasoner.name
    if (method := method_in_words(reasoner)) is not None:
        if not in_words.can_mediate(config, subject, method):
            return None
        edits, left_out = perturbations_of(config, reasoner, examples)
        for message in left_out:
            subject.tell(f"{name}: {message}")
        return PreparedMediation(edits, [])
    if not same_steps(subject, "distances between latents"):
        return None
    edits, left_out = perturbations_of(config, reasoner, examples)
    for message in left_out:
        subject.tell(f"{name}: {message}")
    check_picks(reasoner, examples)
    for part in config.part:
        if not plan.has_part(part):
            subject.lacks(f"--part {part}: {name} has none")
    found = mediators(config, plan)
    return PreparedMediation(edits, found) if found else None


def _grids(reasoner: Reasoner) -> Callable[[Example], Grid]:
    """Rows and columns of visual tokens, asked of the image processor once for each size."""
    known: dict[tuple[int, int], Grid] = {}

    def grid(example: Example) -> Grid:
        assert example.image is not None
        size = example.image.size
        if size not in known:
            (found,) = reasoner.backbone.prepare_images([example.image]).grids
            if found is None:
                raise UserError(
                    f"{reasoner.name} does not see a picture as one grid of patches, so no patch "
                    "of it can be changed alone; use another --perturb"
                )
            known[size] = found
        return known[size]

    return grid
