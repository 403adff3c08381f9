"""What moves R and F over the steps: patches, their slots, or the positions that slots take?

Study: `attention-runs` (`latentlab.attention --vision`): the same weights, read with the model's
own patches, with others at random, with empty slots, without slots, and with slots that share a
position. Patches enter the keys in three of these runs, positions move on as the model is used to
in four; so the two can be told apart. Controls are the runs themselves and uniform attention.
"""

from typing import Any

import pandas as pd

from latentlab.attention.summary import CONTROLS
from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, offsets
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend, sampled
from latentlab.figures.lines import names
from latentlab.figures.marks import draw_intervals
from latentlab.figures.style import MUTED, canvas, look
from latentlab.measures.summary import ALL

STUDIES = (studies.ATTENTION_RUNS,)

RUNS = {
    "": ("own patches", True),
    CONTROLS["random"]: ("patches at random", True),
    CONTROLS["kept"]: ("empty slots", True),
    CONTROLS["held"]: ("no slots, positions held", True),
    CONTROLS["closed"]: ("no slots, closed up", False),
    CONTROLS["packed"]: ("own patches, positions shared", False),
}
"""What the legend calls a run, and whether its steps take the positions that the plan gives them;
marks of those that do not are hollow."""

MEASURES = {
    ("ratio", "image/text"): "R, image / text",
    ("ratio_per_token", "image/text"): "R by uniform R",
    ("focus", "image"): "F on the image",
}
"""What is drawn, one column each."""


def make(found: Found) -> Drawing:
    """The figure: a row for each model, a column for each measure."""
    results = found[studies.ATTENTION_RUNS.name]
    lines = results.summary
    keys = pd.MultiIndex.from_frame(lines[["measure", "keys"]])
    whole = (lines[["domain", "answered"]] == ALL).all(axis=1) & lines["against"].eq("")
    averaged = (lines[["layers", "heads"]] == ALL).all(axis=1)
    lines = lines[whole & averaged & keys.isin(MEASURES)]
    lines = lines.assign(run=lines["mode"].str.partition(", ")[2])
    models = names(lines["model"])
    figure, axes = canvas("double", 0.5 + 1.5 * len(models), len(models), len(MEASURES))
    looks = _looks()
    panels = [(model, *measure) for model in models for measure in MEASURES]
    for axis, (model, measure, key) in zip(axes, panels, strict=True):
        shown = lines[(lines[["model", "measure", "keys"]] == [model, measure, key]).all(axis=1)]
        for shift, (run, (label, _)) in zip(offsets(len(RUNS), 0.4), RUNS.items(), strict=True):
            curve = shown[shown["run"] == run].sort_values("step")
            draw_intervals(axis, curve["step"] + shift, curve, "value", **looks[label])
        null = shown[shown["run"] == ""].sort_values("step")
        axis.plot(null["step"], null["null"], color=MUTED, linestyle=":", zorder=0)
        axis.set_ylim(bottom=0)
        axis.set_xticks(sorted(set(shown["step"])))
        axis.set_ylabel(MEASURES[measure, key])
        axis.set_title(model)
    for axis in axes[-len(MEASURES) :]:
        axis.set_xlabel("step")
    uniform = {"uniform attention": {"color": MUTED, "linestyle": ":"}}
    legend(figure, axes[0], looks | uniform, columns=4)
    columns = ["model", "mode", "run", "step", "measure", "keys", "n"]
    data = lines[[*columns, "value", "value_low", "value_high", "null"]].reset_index(drop=True)
    return Drawing(figure, data, _caption(lines, results.run["config"]["data"]))


def _looks() -> dict[str, dict[str, Any]]:
    """How each run is drawn."""
    return {
        label: look(i + 1) | ({} if moving else HOLLOW)
        for i, (label, moving) in enumerate(RUNS.values())
    }


def _caption(lines: pd.DataFrame, data: str) -> str:
    return (
        f"R and F (IVT-LR, equations 1 and 2) of {sampled(lines, data)}, with something done to "
        f"the patches that its steps re-insert. {WEIGHTS} Read at the position that each step "
        "begins from, layers and heads averaged. Filled marks: steps take the positions that the "
        "plan gives them, with the model's own patches, with others drawn at random, with the "
        "placeholder token in the slots, or without slots and with a hole in the positions. "
        "Hollow: what follows moves up, without slots, or with the model's own patches in slots "
        "that share the position of the latent text or of the word that follows. If patches "
        "among the keys moved R, it would move with patches and not without; if positions did, it "
        "would move where marks are filled and not where they are hollow. Step 1 comes before any "
        "patch and is the same in all. Dotted: uniform attention over the keys of the model's own "
        "run. n is smaller where a model that writes stops before a step. Bars are 95 % bootstrap "
        "intervals over questions. One training of each model. The published Figure 5 of IVT-LR "
        "has no such control."
    )
