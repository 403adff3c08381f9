"""Whether all examples take the same latent steps, as instruments need that read step by step."""

from latentlab.study.instrument import Subject


def same_steps(subject: Subject, reading: str) -> bool:
    """See whether a model's plan, and not the model, says how many steps it takes.

    Args:
        subject: the model; told where it is otherwise.
        reading: what cannot be done then, to begin the sentence with.
    """
    plan, name = subject.reasoner.plan, subject.reasoner.name
    if plan.varies:
        subject.lacks(
            f"{reading} need the same latent steps in all examples, and {name} opens or ends its "
            "block itself; give it lead=0 and length=fixed by --plan"
        )
    return not plan.varies
