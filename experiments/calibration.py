"""Calibration: what every instrument reads where the truth is known, and where it is not.

Study: `calibration` (`latentlab.calibrate`). Positive controls are organisms that need the part by
construction, negative controls organisms in which it cannot matter. No paper calibrates its
instruments in this way; at least six report that latents are inert.
"""

import pandas as pd

from latentlab.paper import studies
from latentlab.paper.artifacts import Drawing
from latentlab.paper.dots import draw_dots
from latentlab.paper.experiment import Found
from latentlab.paper.instruments import legend
from latentlab.paper.style import canvas, look

STUDIES = (studies.CALIBRATION,)

ROLES = {"positive": 1, "negative": 2, "unknown": 0}
"""Roles and the number of their look."""

LABELS = {
    "positive": "truth known: must read high",
    "negative": "truth known: must read zero",
    "unknown": "truth unknown",
}

PARTS = {"latent_text": "latent text", "latent_vision": "latent vision"}


def make(found: Found) -> Drawing:
    """The figure: a row for each reading, latent text on the left, latent vision on the right."""
    results = found[studies.CALIBRATION.name]
    lines = _scaled(results.summary)
    sides = [["latent_text"], ["latent_vision", "latent"]]
    looks = {role: look(number) | {"linestyle": "none"} for role, number in ROLES.items()}
    panels = [lines[lines["part"].isin(parts)] for parts in sides]
    most = max(panel["row"].nunique() for panel in panels)
    figure, axes = canvas("double", 0.8 + 0.19 * most, 1, 2, sharex=True)
    for axis, panel in zip(axes, panels, strict=True):
        rows = dict(zip(panel["row"], panel["label"], strict=True))
        draw_dots(axis, panel.assign(series=panel["role"]), rows, looks, "value", 1)
        axis.set(xlabel="reading (positive control = 1)", title=PARTS[panel["part"].iloc[0]])
        axis.tick_params(axis="y", labelsize=6.5)
    legend(figure, axes[0], {LABELS[role]: looks[role] for role in ROLES}, 3)
    tested = lines[lines["verdict"] != ""].drop_duplicates(["instrument", "part"])
    good = int((tested["verdict"] == "separates").sum())
    shams = results.summary[results.summary["role"] == "sham"]
    exact = bool((shams[["value_low", "value_high"]] == 0).all(axis=None))
    names = {role: sorted(set(lines.loc[lines["role"] == role, "model"])) for role in ROLES}
    least, largest = lines["n"].min(), lines["n"].max()
    caption = (
        f"Every instrument on organisms that need the part of the latents "
        f"({', '.join(names['positive'])}), on organisms in which it cannot matter "
        f"({', '.join(names['negative'])}), and on {', '.join(names['unknown'])}; n = {least} to "
        f"{largest} questions a mark. Left: latent text, right: latent vision and, where marked, "
        "both parts. Readings have units of their own (points lost, nats, deviations, fractions; "
        "see the numbers beside) and are divided by the lowest positive control. Bars are 95 % "
        "intervals over questions, Wilson for fractions and bootstrap otherwise. "
        f"{good} of {len(tested)} readings separate: all positive intervals lie above all "
        f"negative ones. Shams change {'exactly nothing' if exact else 'something'}. Below the "
        "line: from the input to the latents, where bypass holds content and must read high."
    )
    for axis, panel in zip(axes, panels, strict=True):
        rows = list(dict.fromkeys(panel["row"]))
        inputs = [row for row in rows if row.startswith("input")]
        if inputs:
            axis.axhline(rows.index(inputs[0]) - 0.5, color="#333333", linewidth=0.9)
    columns = ["instrument", "link", "part", "unit", "model", "role", "n", "reading", "verdict"]
    data = lines[[*columns, "value", "value_low", "value_high"]].reset_index(drop=True)
    return Drawing(figure, data, caption)


def _scaled(summary: pd.DataFrame) -> pd.DataFrame:
    """Readings in units of the lowest positive control of their instrument and part."""
    lines = summary[summary["role"].isin(list(ROLES))].copy()
    key = ["instrument", "part"]
    positive = lines[lines["role"] == "positive"].groupby(key)["value"].min()
    unit = pd.Series(
        [positive.get(pair, float("nan")) for pair in zip(*(lines[k] for k in key), strict=True)],
        lines.index,
    )
    lines["reading"] = lines["value"]
    for name in ("value", "value_low", "value_high"):
        lines[name] = lines[name] / unit
    lines["row"] = lines["link"] + "/" + lines["instrument"] + "/" + lines["part"]
    both = lines["part"].eq("latent").map({True: " (both parts)", False: ""})
    lines["label"] = lines["instrument"] + both
    # Latent -> answer comes first, single parts before both, and all else as in the study.
    lines = lines.assign(last=lines["part"].eq("latent"))
    return lines.sort_values(["link", "last"], ascending=[False, True], kind="stable")
