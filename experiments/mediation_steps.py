"""Both shares of an input's effect that go with single latent steps, and with the first ones.

Study: `mediation-steps` (`latentlab.mediation`): the cell that a hop has to read is hidden
(`mask_needed`, each hop on its own), or the question starts elsewhere (`restart`). Shares are mean
pure indirect, and mean total indirect, by mean total effect on log-odds. Steps before the hidden
hop are the control: they must carry nothing of it. Drawn is the pure indirect share of each step
alone, part by part; the total indirect one, and runs of first steps, are in the CSV file. There is
no such figure in the IVT-LR paper.
"""

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import (
    WEIGHTS,
    perturbation_label,
    perturbations_in,
    widest,
    without_repeats,
)
from latentlab.figures.lines import names
from latentlab.figures.marks import heat
from latentlab.figures.mediated import SHARES, WIDEST
from latentlab.figures.style import canvas
from latentlab.measures.summary import ALL
from latentlab.mediation.summary import EFFECT, single_hops
from latentlab.vocabulary import PARTS

PART = "appendix"
STUDIES = (studies.MEDIATION_STEPS,)

ENDS = ("", "_low", "_high")


def make(found: Found) -> Drawing:
    """The figure: a grid for each model and part, inputs by steps."""
    results = found[studies.MEDIATION_STEPS.name]
    lines = results.summary
    whole = (lines["domain"] == ALL) & (lines["outcome"] == "log_odds")
    vectors = lines["measure"].eq(EFFECT) & lines["mediator"].eq("latents")
    lines = single_hops(lines[whole & vectors & lines["perturbation"].ne("none")])
    data = _by_last_step(without_repeats(lines.assign(perturbation=lines["label"])))
    drawn = data[(data["set"] == "each") & data["part"].ne("latent")]
    rows = perturbations_in(data)
    panels = list(drawn[["model", "part"]].drop_duplicates().itertuples(index=False, name=None))
    panels.sort(
        key=lambda panel: (names(data["model"]).index(panel[0]), list(PARTS).index(panel[1]))
    )
    wide = drawn["nie_share_high"] - drawn["nie_share_low"] > WIDEST
    drawn = drawn[drawn["nie_share"].notna() & ~wide]
    figure, axes = canvas("double", 0.85 + 0.24 * len(rows), 1, len(panels), sharey=True)
    steps = sorted(set(data["last"]))
    for axis, (model, part) in zip(axes, panels, strict=True):
        of_panel = drawn[(drawn["model"] == model) & (drawn["part"] == part)]
        shares = of_panel.set_index(["perturbation", "last"])["nie_share"]
        grid = 100 * shares.unstack().reindex(index=list(rows), columns=steps)
        heat(axis, grid.rename(index=rows), 0, 100)
        axis.set_title(f"{model}\n{PARTS[part]}")
    figure.supxlabel("latent step", fontsize=7.5)
    columns = ["model", "perturbation", "part", "set", "last", "n"]
    columns += [f"{share}{end}" for share in SHARES for end in ENDS]
    data = data[columns].reset_index(drop=True)
    text = (
        "Pure indirect share (NIE by total effect on log-odds, %) of each step's latents alone; "
        "what follows is made anew from it. Empty: intervals wider than 100 points. n = "
        f"{data['n'].min()} at least, 95 % intervals {widest(drawn, 'nie_share')}. {WEIGHTS} "
        "Control: a hidden cell does not concern the text of earlier steps."
    )
    return Drawing(figure, data, caption(_finding(drawn), text))


def _finding(drawn: pd.DataFrame) -> str:
    """What the right steps carry of a hidden hop, and what the steps before it do."""
    hop = drawn["perturbation"].str.extract(r"hop (\d+)$", expand=False)
    of_hops = drawn.assign(hop=pd.to_numeric(hop)).dropna(subset=["hop"])
    text = of_hops[of_hops["part"] == "latent_text"]
    # The text of step t is made of the hop before it.
    on, before = text[text["last"] == text["hop"]], text[text["last"] < text["hop"]]
    if on.empty or before.empty:
        if drawn.empty:
            return "Of all changed inputs, 0 have an effect of which a step could carry a share."
        best = drawn.loc[drawn["nie_share"].idxmax()]
        return (
            f"A single step carries at most {100 * best['nie_share']:.0f} % of an effect "
            f"({best['model']}, {perturbation_label(best['perturbation'])}, step {best['last']})."
        )
    return (
        f"Of a hidden hop, the text of the step at it carries {100 * on['nie_share'].median():.0f} "
        f"% in the median, and that of the steps before at most "
        f"{100 * before['nie_share'].max():.0f} %."
    )


def _by_last_step(lines: pd.DataFrame) -> pd.DataFrame:
    """Lines with the sort of steps taken (`set`) and the last of them (`last`).

    The first step alone is also the shortest run of first steps, and all steps are the longest.
    """
    movement = lines["steps"].where(lines["steps"] != ALL).str.split("..", regex=False).str[-1]
    last = movement.astype(float)
    last = last.fillna(last.max()).astype(int)
    lines = lines.assign(last=last)
    single = lines["steps"].str.isdigit() | (last == 1)
    first = ~lines["steps"].str.isdigit() | (last == 1)
    parts = [lines[single].assign(set="each"), lines[first].assign(set="cumulative")]
    return pd.concat(parts).sort_values("last", kind="stable")
