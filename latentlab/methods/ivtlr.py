"""IVT-LR: latent text and the most attended patches at every step.

Paper: "Reasoning in the Dark" (arXiv 2510.12603). Code: ModalityDance/IVT-LR.

Where text, code and ours differ: the paper appends [h, z], the code [z, h], and the code's order is
the plan's default; the paper sums attention over layers and heads, the code takes the mean, which
picks the same; the code drops M-RoPE for positions in one line, the default here as well, and cuts
the gradient through the latents, which matters in training only. The code silently picks used
patches again where a picture has too few; ours refuses. The question is worded as the model words
its own. A model that brings no plan takes three steps of 32 patches, or what `--steps` and `--k`
say, and is untrained for them.
"""

from latentlab.methods.call import Call, Method, Question, Talk
from latentlab.reasoning.plan import LatentPlan


def ask(question: Question) -> Talk:
    """One call with latent steps."""
    plan = question.plan if question.plan.steps else LatentPlan()
    yield Call("latent steps and answer", question.own, question.longest, plan)
    return ()


def unfit(plan: LatentPlan, brings: bool) -> str:
    """Why a model's plan is not this method."""
    if not plan.steps:
        return "the model was trained to take no latent steps" if brings else ""
    if plan.content != "latent" or not (plan.has_text and plan.has_vision):
        return "its steps do not hold both latent text and patches"
    return "" if plan.select == "attention" else f"its patches are {plan.select}, not by attention"


METHOD = Method("ivtlr", "IVT-LR, arXiv 2510.12603", ask, pictures=1, unfit=unfit)
