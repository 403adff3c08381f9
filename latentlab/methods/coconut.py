"""Coconut: latent text only; each step feeds the last hidden state back as an input.

Paper: Hao et al., "Training Large Language Models to Reason in a Continuous Latent Space" (arXiv
2412.06769). Code: facebookresearch/coconut.

Where text, code and ours differ: the paper and its code are on text alone and put the block between
`<bot>` and `<eot>`; a model that brings a plan with markers has them here, the plain plan has none,
as IVT-LR's code. The question is worded as the model words its own. A model that brings no plan
takes three steps, or those of `--steps`, and is untrained for them. One whose steps re-insert
patches is refused: leaving them out would be a knock-out, which is another thing than this method.
"""

from latentlab.methods.call import Call, Method, Question, Talk
from latentlab.reasoning.plan import LatentPlan

STEPS = 3


def ask(question: Question) -> Talk:
    """One call with latent steps."""
    plan = question.plan
    if not question.brings_plan:
        plan = plan.replace(k=0) if plan.steps else question.bare.replace(steps=STEPS)
    yield Call("latent steps and answer", question.own, question.longest, plan)
    return ()


def unfit(plan: LatentPlan, brings: bool) -> str:
    """Why a model's plan is not this method."""
    if not brings:
        return ""
    if not plan.steps:
        return "the model was trained to take no latent steps"
    if plan.has_vision:
        return "its latent steps re-insert patches; this method has latent text only"
    return "" if plan.content == "latent" else f"its steps hold {plan.content}, no latent text"


METHOD = Method("coconut", "Coconut, arXiv 2412.06769", ask, unfit=unfit)
