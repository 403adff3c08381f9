"""Changes of accuracy under every knock-out at inference, by positions and next to its control.

Studies: `knockouts` and `knockouts-one-hop` (`latentlab.ablate`): parts of the latents left out
(`drop`) under three rules of positions, or exchanged for another question's (`other`) beside the
control, the same exchange on as many positions of the prompt that the question does not need.
Strict accuracy, paired by question. The paper has no such table: what it calls ablation is
`retrained_arms`.
"""

import pandas as pd

from latentlab.console import typeset
from latentlab.figures import studies
from latentlab.figures.artifacts import Table, caption
from latentlab.figures.cells import printed
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import without_repeats
from latentlab.figures.lines import INFERENCE, beside_controls, names, overall, untouched
from latentlab.wording import joined

PART = "main"
STUDIES = (studies.KNOCKOUTS, studies.KNOCKOUTS_ONE_HOP)

PARTS = {"latent_text": "text", "latent_vision": "vision", "latent": "both"}
"""Parts of the latents as the table calls them."""

COLUMNS = {
    "model": "model",
    "what": "latent\npart",
    "alone": "accuracy\nleft alone",
    "held_delta": "left out,\nheld",
    "closed_delta": "left out,\nclosed up",
    "kept_delta": "left out,\nslots empty",
    "other_delta": "another\nquestion's",
    "control_delta": "the same on\nthe prompt",
}

BARE = ("alone", "held_delta", "closed_delta", "control_delta")
"""Columns whose intervals are in the CSV file only."""

ENDS = ("", "_low", "_high")


def make(found: Found) -> Table:
    """The table: a line for each model and part."""
    lines = pd.concat([overall(found[study.name].summary) for study in STUDIES], ignore_index=True)
    data = without_repeats(_side_by_side(lines))
    place = list(PARTS).index
    data = data.sort_values("part", key=lambda parts: parts.map(place), kind="stable")
    data = data.sort_values("order", kind="stable").drop(columns="order").reset_index(drop=True)
    changes = [name for name in COLUMNS if name.endswith("delta")]
    n = names(str(n) for n in untouched(lines)["n"])
    easy = names(data.loc[data["data"] == studies.ONE_HOP, "model"])
    asked = f"; {joined(easy)} {'is' if len(easy) == 1 else 'are'} asked one hop" if easy else ""
    text = (
        "Change in accuracy (points), paired by question, with 95 % intervals; n = "
        f"{' or '.join(n)} a model{asked}. Left out: later positions held, closed up, or slots "
        "kept, empty. Control of the exchange: the same on as many unneeded positions of the "
        f"prompt. {INFERENCE} All intervals, flips and p-values: CSV file."
    )
    cells = printed(data, COLUMNS, ("alone", *changes), changes, bare=BARE)
    return Table(cells, data.drop(columns="what"), caption(_finding(data), text), grouped=True)


def _side_by_side(lines: pd.DataFrame) -> pd.DataFrame:
    """One line for each model and part: left out by positions, and exchanged beside its control."""
    key = ["model", "data", "part"]
    arms = beside_controls(lines)
    rules = [f"{rule}_delta{end}" for rule in ("held", "closed", "kept") for end in ENDS]
    more = [f"{name}{end}" for name in ("flip", "log_odds_change") for end in ENDS]
    removed = arms.loc[arms["action"] == "drop", [*key, "n", *rules, *more, "p_holm"]]
    exchanged = arms[arms["source"] == "other"].rename(
        columns={f"delta{end}": f"other_delta{end}" for end in ENDS}
    )
    pair = [f"{name}_delta{end}" for name in ("other", "control") for end in ENDS]
    data = removed.merge(exchanged[[*key, *pair]], on=key, how="left")
    data = data[data["part"].isin(PARTS)]
    alone = untouched(lines).set_index(["model", "data"])
    keys = pd.MultiIndex.from_frame(data[["model", "data"]])
    return data.assign(
        what=data["part"].map(PARTS),
        order=[list(alone.index).index(pair) for pair in keys],
        **{f"alone{end}": alone.loc[keys, f"accuracy{end}"].to_numpy() for end in ENDS},
    )


def _finding(data: pd.DataFrame) -> str:
    """What exchanging a part costs beyond the same on the prompt, where that can be told."""
    beyond = data[data["other_delta_high"] < data["control_delta_low"]]
    single = beyond[beyond["part"] != "latent"]
    if single.empty:
        return f"Of {len(data)} exchanges, 0 cost more than the same on the prompt."
    parts = [
        f"{line['what']} of {line['model']} ({typeset(100 * line['other_delta'], 0)} points)"
        for _, line in single.iterrows()
    ]
    return (
        f"Another question's latents cost more than the same on the prompt for {joined(parts)}, "
        "and nowhere else."
    )
