"""What instruments need that read step by step: one plain call, and the same steps in all."""

from latentlab.methods.own import is_plain
from latentlab.methods.run import question_of
from latentlab.study.by_method import own_method
from latentlab.study.instrument import Subject


def one_call(subject: Subject, reading: str) -> bool:
    """See whether a model answers in one call about the question as it stands.

    A model that was trained for several calls, or for a picture with something drawn on it, is
    another one where it is asked otherwise, and what is read then says nothing about its answers.

    Args:
        subject: the model; told where it is otherwise.
        reading: what cannot be done then, to begin the sentence with.
    """
    reasoner, method = subject.reasoner, own_method(subject.reasoner)
    if method is None or not len(subject.examples):
        return True
    if is_plain(method, question_of(reasoner, subject.examples[0], 1)):
        return True
    subject.lacks(
        f"{reading} need one call about the plain question, and {reasoner.name} was trained to "
        f"answer by {method.name}, which asks otherwise; compare and evaluate ask it so"
    )
    return False


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
