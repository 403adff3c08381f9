"""The model's own way: one call about the question as it stands, under the model's own plan.

What a model answers so is what it answers anywhere else (`study.run`), to the bit. As a method it
is counted like all others, so that models that were trained to answer at once, in words or through
latents stand beside those that were trained for several calls.
"""

from latentlab.methods.call import Call, Method, Question, Talk
from latentlab.reasoning.plan import LatentPlan
from latentlab.vocabulary import OWN_WAY


def ask(question: Question) -> Talk:
    """One call, whose steps end where the model's own do."""
    yield Call("answer", question.own, question.longest, question.plan, newlines=0)
    return ()


def unfit(plan: LatentPlan, brings: bool) -> str:
    """Why a model's plan cannot be run so."""
    if plan.steps and plan.select == "given":
        return "its patches are given with each question, which no call tells"
    return ""


def is_plain(method: Method, question: Question) -> bool:
    """Whether a method, too, is one call about the question as it stands."""
    talk = method.ask(question)
    if next(talk).turns != question.own or method.adds_tokens or method.adds_pictures:
        return False
    try:
        talk.send(question.marker)
    except StopIteration:
        return True
    return False


METHOD = Method(OWN_WAY, "the model's own way", ask, unfit=unfit)
