"""Arms that put something else into the slots of latents, each with its control on the prompt.

The control does the same to as many positions of the prompt. It is matched where the data tell
which positions a question does not need, and only then: any positions, among them the walk's cells
and the one word that names its start, cost far more than slots that nobody reads.
"""

from collections.abc import Iterable

from latentlab.ablate.arms import Steps, control
from latentlab.ablate.materials import ANYWHERE, Materials
from latentlab.ablate.unneeded import Unneeded
from latentlab.reasoning.interventions import PromptReplace, Replace
from latentlab.reasoning.noise import MatchedNoise, Noise, NormMatched, UnitNoise
from latentlab.reasoning.off_walk import OffWalk
from latentlab.reasoning.orders import Reordered
from latentlab.reasoning.plan import LatentPlan
from latentlab.reasoning.sources import Constant, Given, Mean, Placeholder, Resample, Source, Zero
from latentlab.study.arms import Arm
from latentlab.vocabulary import CONTROL, KNOCK_OUT, LatentPart, Replacement

MATCHED: dict[LatentPart, str] = {
    "latent_text": "on uninformative words",
    "latent_vision": "on off-walk image positions",
    "latent": "on unneeded prompt positions",
}
"""The matched control of each part."""


def replace_arms(
    plan: LatentPlan,
    replacements: Iterable[Replacement],
    parts: Iterable[LatentPart],
    steps: Steps,
    materials: Materials,
) -> list[Arm]:
    """Overwrite parts.

    Two controls. The sham puts each latent's own value back: it goes through all the motions and
    must read exactly 0, or the instrument itself does something. The same replacement on positions
    of the prompt tells whether latents are special: if positions that are not needed cost as much,
    the model is merely sensitive to such vectors.

    Args:
        plan: the model's plan, for the number of slots.
        replacements: what to put into the slots; `off_walk` is for patches alone.
        parts: whose slots.
        steps: at which steps.
        materials: what to make the replacements of.
    """
    moved = tuple(range(1, plan.steps + 1)) if steps is None else steps
    # The first step keeps what it held, whatever is repeated.
    asked = [how for how in replacements if how != "first" or moved != (1,)]
    arms = []
    for part in parts:
        fitting = [how for how in asked if how != "off_walk" or part == "latent_vision"]
        for label, strength, source in _sources(fitting, materials, moved):
            new = Replace(part, source, steps)
            arm = Arm("replace", part, steps, label, strength, kind=KNOCK_OUT, interventions=(new,))
            what, edits = prompt_control(plan, part, len(moved), source, materials.unneeded)
            arms += [arm, control(arm, what, prompt_edits=edits)]
        if fitting:
            own = Replace(part, Given(), steps)
            arms.append(Arm("sham", part, steps, kind=CONTROL, interventions=(own,)))
    return arms


def prompt_control(
    plan: LatentPlan, part: LatentPart, steps: int, source: Source, spared: Unneeded
) -> tuple[str, tuple[PromptReplace, ...]]:
    """The same on as many positions of the prompt as a part has slots.

    Args:
        plan: the model's plan.
        part: the part.
        steps: at how many steps it is overwritten.
        source: what is put there.
        spared: positions that are not needed; patches stand for vision, words for text.

    Returns:
        What the control is called, and its edits.
    """
    slots: dict[LatentPart, int | None] = {}
    if plan.has_text and part != "latent_vision":
        slots["latent_text"] = steps
    if plan.has_vision and part != "latent_text":
        # Where every patch is re-inserted there are at least as many slots as image positions.
        slots["latent_vision"] = None if plan.select == "all" else steps * plan.k
    where = {"latent_text": spared.words, "latent_vision": spared.image}
    if all(where[one] for one in slots):
        edits = [PromptReplace(source, count, where[one]) for one, count in slots.items()]
        return MATCHED["latent" if len(slots) == 2 else next(iter(slots))], tuple(edits)
    counts = [count for count in slots.values() if count is not None]
    return ANYWHERE, (PromptReplace(source, sum(counts) if len(counts) == len(slots) else None),)


def _sources(
    replacements: Iterable[Replacement], materials: Materials, steps: tuple[int, ...]
) -> list[tuple[str, float | None, Source]]:
    """Name, strength and source of each replacement; added noise once for each sigma."""
    bank, donors, keep_norm = materials.bank, materials.donors, materials.keep_norm
    plain: dict[str, Source] = {
        "zero": Zero(),
        "mean": Mean(bank),
        "constant": Constant(bank),
        "matched_noise": MatchedNoise(bank),
        "unit_noise": UnitNoise(),
        "norm_matched": NormMatched(),
        "off_walk": OffWalk(materials.unneeded.patches),
        "other": Resample(bank, donors),
        "other_any": Resample(bank, donors.ungrouped()),
        "permute": Reordered("permute", steps),
        "reverse": Reordered("reverse", steps),
        "first": Reordered("first", steps),
        "placeholder": Placeholder(),
    }
    noise = "norm-kept noise" if keep_norm else "noise"
    named: list[tuple[str, float | None, Source]] = []
    for replacement in replacements:
        if replacement == "noise":
            sigmas = materials.sigmas
            named += [(noise, sigma, Noise(bank, sigma, keep_norm)) for sigma in sigmas]
        else:
            named.append((replacement, None, plain[replacement]))
    return named
