"""The questions of the page in the order in which a reader asks them, and what belongs to each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One section of the page."""

    anchor: str
    """Its address on the page."""

    short: str
    """What links call it."""

    text: str
    """The question."""

    exhibits: tuple[str, ...]
    """Tables and figures that belong to it, by name."""


QUESTIONS = (
    Question("trust", "Trust", "Is the instrument to be trusted?", ("calibration",)),
    Question(
        "matter",
        "Do latents matter?",
        "Do latents matter?",
        ("knockouts", "necessity", "evidence", "topics", "steps"),
    ),
    Question("part", "Which part?", "Which part matters?", ("noise", "patches")),
    Question(
        "content",
        "Content or positions?",
        "Is it content or positions?",
        ("replacements", "knockouts_table", "rationales"),
    ),
    Question(
        "hold",
        "What they hold",
        "What do latents hold?",
        ("probe_grid", "lens_grid", "similarity", "latents_moved"),
    ),
    Question(
        "flow",
        "Information flow",
        "Where does the information flow?",
        (
            "mediation",
            "mediation_steps",
            "mediation_totals",
            "interchange",
            "counterfactual",
            "patching_grid",
            "attribution",
        ),
    ),
    Question(
        "attention",
        "Attention",
        "What does attention tell?",
        (
            "attention",
            "attention_maps",
            "attention_knockouts",
            "answer_attention",
            "attention_runs",
        ),
    ),
    Question(
        "trainings",
        "Other trainings",
        "How do other trainings read?",
        (
            "seed_readings",
            "main_table",
            "seeds",
            "retrained_arms",
            "patches_trained",
            "organisms",
        ),
    ),
)


def of(exhibit: str) -> str:
    """Anchor of the question that a table or figure belongs to; empty where to none."""
    return next((one.anchor for one in QUESTIONS if exhibit in one.exhibits), "")
