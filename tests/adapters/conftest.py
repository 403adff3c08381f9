"""Prompts of two plans, and their answer marker, for both families."""

import pytest

from latentlab.reasoner import Reasoner
from latentlab.reasoning.plan import LatentPlan

BLOCKED = (("answer", "image"), ("answer", "prompt"))
PLANS = {
    "open": LatentPlan(steps=2, k=2),
    "blocked": LatentPlan(steps=2, k=1, positions="mrope", blocked=BLOCKED),
}


@pytest.fixture(scope="session", params=PLANS)
def planned(request, reasoner) -> Reasoner:
    """Either family under either plan."""
    plan = PLANS[request.param]
    return Reasoner(
        reasoner.backbone, plan, reasoner.prompter, reasoner.placeholder_id, reasoner.name
    )


@pytest.fixture
def batch(planned, examples):
    """Prompts of different lengths."""
    return planned.prompter.batch(examples, planned.plan)
