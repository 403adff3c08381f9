"""How the embedded organisms and their twins are trained: one place for every number.

All start from the same explicit model (`LOOK_UP`), see the same data and take the same number
of updates; they differ in their plan and in what each stage replaces. What was tried on the way,
and what did not work, is in LOG.md.
"""

from latentlab.methods.taught import TAUGHT
from latentlab.reasoning.plan import LatentPlan
from latentlab.training.conditions import HIDDEN, Condition
from latentlab.training.config import StageConfig, TrainConfig

STEPS = 3
"""Latent steps of the organisms; a full question takes one hop more."""

PICKS = 2
"""Patches re-inserted at each step, of 16."""

DATA = "benchmark:hops=4+1,hop_weights=3+1,domain_weights=2+5+2"
"""What the curriculum trains on: full questions, and one-hop questions that one pass can answer.
Handwriting is the hardest to read and gets the largest share."""

EVAL_DATA = "benchmark:hops=4+1"
"""What it is measured on: all domains alike."""

DENSE = "hops=8+4+1,hop_weights=7+2+1"
"""Mostly the longest chains: eight supervised look-ups for one picture."""

HANDWRITING = f"benchmark:domain=relation+letters+digits,domain_weights=1+1+6,{DENSE}"
"""All three domains, and mostly the one that is learnt last."""

LOOK_UP = (
    StageConfig(
        "shapes",
        updates=400,
        batch_size=48,
        learning_rate=2e-3,
        muon_learning_rate=0.02,
        data="benchmark:domain=relation,hops=8",
    ),
    StageConfig(
        "letters",
        updates=400,
        batch_size=48,
        learning_rate=1.5e-3,
        muon_learning_rate=0.015,
        data=f"benchmark:domain=relation+letters,domain_weights=1+5,{DENSE}",
    ),
    StageConfig(
        "digits",
        updates=1000,
        batch_size=48,
        learning_rate=1.5e-3,
        muon_learning_rate=0.015,
        data=HANDWRITING,
    ),
    StageConfig(
        "handwriting",
        updates=700,
        batch_size=48,
        learning_rate=1e-3,
        muon_learning_rate=0.015,
        data=HANDWRITING,
        decay=0.7,
    ),
)
"""Explicit chains, one visual vocabulary after the other: each is learnt several times sooner than
all at once (LOG.md)."""

CURRICULUM = (
    ("stage-0", 0, 100),
    ("stage-1", 1, 200),
    ("stage-2", 2, 200),
    ("stage-3", 3, 500),
    ("stage-3-more", 3, 400),
    ("stage-3-last", 3, 700),
)
"""Name, latent steps and updates of each stage. The last ones begin with fresh rates: recurrence is
learnt slowly while they are high, and soon once they fall."""

PLANS: dict[str, LatentPlan] = {
    "ivtlr": LatentPlan(steps=STEPS, k=PICKS, gradient="through"),
    "relay": LatentPlan(
        steps=STEPS,
        k=0,
        gradient="through",
        blocked=(("answer", "image"), ("answer", "prompt")),
    ),
    "gaze": LatentPlan(steps=STEPS, k=PICKS, select="given", gradient="through", blocked=HIDDEN),
    "bypass": LatentPlan(steps=STEPS, k=PICKS, gradient="through", blocked=(("answer", "latent"),)),
    "decoy": LatentPlan(steps=STEPS, k=PICKS, gradient="through"),
    "redundant": LatentPlan(steps=STEPS, k=PICKS, select="given", gradient="through"),
    "filler": LatentPlan(steps=STEPS, k=PICKS, content="placeholder", gradient="through"),
    "coconut": LatentPlan(steps=STEPS, k=0, gradient="through"),
    "cot_vision": LatentPlan(
        steps=STEPS,
        k=PICKS,
        content="words",
        part_order="text_vision",
        gradient="through",
    ),
    "cot": LatentPlan(steps=0, k=0),
    "no_cot": LatentPlan(steps=0, k=0),
    **{name: LatentPlan(steps=0, k=0) for name in TAUGHT},
}
"""The plan of each organism and twin (docs/organisms.md says what each is for)."""

CONDITIONS: dict[str, tuple[Condition, ...]] = {
    "decoy": ("exchanged",),
    "redundant": ("own", "hidden", "emptied"),
}
"""What organisms whose latents are in plain view are made to do without in training."""

SWEEP: dict[str, LatentPlan] = {
    f"ivtlr_k{k}": PLANS["ivtlr"].replace(k=k) for k in (1, 4) if k != PICKS
}
"""`ivtlr` trained with other numbers of patches. They are not embedded; their logs are in
`experiments/data`."""


def base_recipe(seed: int) -> TrainConfig:
    """Return the training of the explicit model that every organism starts from."""
    return TrainConfig(
        name="base",
        stages=LOOK_UP,
        plan=PLANS["cot"],
        seed=seed,
        eval_data="benchmark:hops=8+4+1",
    )


def recipe(name: str, base: str, seed: int) -> TrainConfig:
    """Return the training of one organism or twin.

    Args:
        name: a key of `PLANS` or `SWEEP`.
        base: folder of the trained base model.
        seed: seed of data order and replay.
    """
    plan = (PLANS | SWEEP)[name]
    stages = tuple(
        StageConfig(
            stage,
            updates=updates,
            latent_steps=min(latent_steps, plan.steps),
            rationale=name != "no_cot",
            muon_learning_rate=0.005 if latent_steps == STEPS else 0.01,
            data=DATA,
            replay=0.3 if latent_steps and plan.steps else 0.0,
            conditions=CONDITIONS.get(name, ("own",)),
        )
        for stage, latent_steps, updates in CURRICULUM
    )
    return TrainConfig(
        name=name,
        stages=stages,
        plan=plan,
        method=name if name in TAUGHT else "",
        init=base,
        seed=seed,
        eval_data=EVAL_DATA,
        save_dtype="float16",
    )
