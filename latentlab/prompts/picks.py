"""Picks that a plan is given: the cells of an example's trace."""

from latentlab.data.example import Example
from latentlab.errors import UserError
from latentlab.reasoning.plan import LatentPlan


def traced_picks(example: Example, plan: LatentPlan, n_patches: int) -> list[list[int]]:
    """Patches that a plan with given picks re-inserts: at step t, the cell where hop t ends.

    With k of them they are the cells where the last k hops up to t end; before the first hop
    stands the cell that the question names.

    Raises:
        UserError: the example's trace is missing, too short, or about other cells than the patches.
    """
    if example.trace is None:
        raise UserError(
            f"the plan is given its picks, but {example.id} has no trace to take them from"
        )
    if len(example.trace.objects) != n_patches:
        raise UserError(
            f"the plan is given its picks, but the picture of {example.id} has {n_patches} patches "
            f"for {len(example.trace.objects)} cells; it needs one for each"
        )
    cells = example.trace.cells
    if len(cells) <= plan.steps:
        raise UserError(
            f"the plan has {plan.steps} steps, but traces lead {len(cells) - 1} hops on"
        )
    # The cell where hop t ends is the one whose mark names the object of hop t + 1.
    ends = range(1, plan.steps + 1)
    return [[cells[max(t - back, 0)] for back in reversed(range(plan.k))] for t in ends]
