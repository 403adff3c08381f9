"""Whether answers follow one mark that is changed in the latents alone.

Studies: `counterfactual` and `counterfactual-one-hop` (`latentlab.interchange`): the donor is the
question itself on a picture in which the mark that a hop reads names another object. Prompt and
picture stay; of the named part, at all steps, the latents are those of the changed picture. The
test is that of ReaLVR's counterfactual pairs (strict and false flips), on latents instead of
inputs; there is no such figure in the IVT-LR paper. Single steps and each sham are in the CSV file.
"""

from collections.abc import Iterator

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing, caption
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import WEIGHTS, legend, of_sham
from latentlab.figures.lines import names
from latentlab.figures.style import INK, canvas, look_of
from latentlab.interchange.flips import of_edits
from latentlab.measures.summary import ALL
from latentlab.vocabulary import PARTS
from latentlab.wording import joined

PART = "main"
STUDIES = (studies.COUNTERFACTUALS, studies.COUNTERFACTUALS_ONE_HOP)

SHAMS = {
    "permuted": "dimensions permuted",
    "other_question": "another question's change",
    "off_walk": "a mark off the walk",
}
"""Changes of the same norm that do not say what the mark says."""

ENDS = ("", "_low", "_high")


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a row for each hop and part."""
    results = [found[study.name] for study in STUDIES]
    lines = pd.concat([of_edits(run.summary) for run in results], ignore_index=True)
    whole = lines[(lines["needed_cell"] == ALL) & (lines["part"] != "latent")]
    data = pd.DataFrame(_marks(whole[whole["patches"] != "every"]))
    shown = _at_all_steps(data)
    rows = _rows(shown)
    models = names(data["model"])
    figure, axes = canvas(
        "double", 0.95 + 0.24 * len(rows), 1, len(models), sharex=True, sharey=True
    )
    for axis, model in zip(axes, models, strict=True):
        style = look_of(model, models)
        looks = {"strict": style, "sham": style | HOLLOW}
        draw_dots(axis, shown[shown["model"] == model], rows, looks, "share")
        axis.set(title=model, xlim=(-8, 108), xticks=(0, 100))
    figure.supxlabel("answers that become what the changed mark says (%)", fontsize=7.5)
    grey = {"marker": "o", "color": INK, "linestyle": "none"}
    marks = {"filled: the mark changed": grey, "hollow: highest of the shams": grey | HOLLOW}
    legend(figure, axes[0], marks, 2)
    back = lines[lines["sham"] == "self"]
    n = names(str(n) for n in (shown["n"].min(), shown["n"].max()))
    text = (
        "One mark is changed in the named part of the latents alone, at all steps; prompt, picture "
        f"and picks stay. Shams: {joined(list(SHAMS.values()))}. n = {' to '.join(n)} questions a "
        f"mark, the last models on one hop; 95 % Wilson intervals. {WEIGHTS} Latents put back as "
        f"they were change {of_sham(back[['flip', 'kl']])}."
    )
    return Drawing(figure, data, caption(_finding(shown, rows), text))


def _finding(shown: pd.DataFrame, rows: dict[str, str]) -> str:
    """What each model follows beyond every sham, and how often."""
    pairs = shown.pivot_table(["share", "share_low", "share_high"], ["model", "row"], "series")
    told = []
    for model in names(shown["model"]):
        for row, label in rows.items():
            if (model, row) not in pairs.index:
                continue
            line = pairs.loc[(model, row)]
            sham = line.get(("share_high", "sham"), 0.0)
            if line["share_low", "strict"] > (0.0 if pd.isna(sham) else sham):
                told.append(f"{100 * line['share', 'strict']:.0f} % ({model}, {label})")
    if not told:
        return (
            f"Answers follow 0 of {len(rows)} sorts of marks that are changed in the latents alone."
        )
    return f"Answers follow a mark changed in the latents alone in {joined(told)}, else nowhere."


def _marks(lines: pd.DataFrame) -> Iterator[dict[str, object]]:
    """One line for each mark: what share of answers became what."""
    for _, line in lines[lines["sham"] != "self"].iterrows():
        head = {name: line[name] for name in ("model", "data", "hop", "part", "steps", "n")}
        head["row"] = f"{line['hop']} {line['part']}"
        outcomes = {"strict": "strict_flip", "false": "false_flip"}
        for series, column in ({line["sham"]: "strict_flip"} if line["sham"] else outcomes).items():
            yield {**head, "series": series} | {f"share{e}": line[f"{column}{e}"] for e in ENDS}


def _at_all_steps(data: pd.DataFrame) -> pd.DataFrame:
    """The widest set of steps of each hop and part, with the highest of its shams."""
    key = ["model", "row"]
    longest = data.groupby(key)["steps"].transform(lambda steps: max(steps, key=len))
    wide = data[data["steps"] == longest]
    shams = wide[wide["series"].isin(SHAMS)].sort_values("share", kind="stable")
    highest = shams.groupby(key, sort=False).tail(1).assign(series="sham")
    return pd.concat([wide[wide["series"] == "strict"], highest], ignore_index=True)


def _rows(shown: pd.DataFrame) -> dict[str, str]:
    """Labels of the rows: hops in rising order, parts as in other figures."""
    order = list(PARTS)
    lines = shown[["row", "hop", "part"]].drop_duplicates()
    found = sorted(lines.itertuples(index=False), key=lambda x: (x.hop, order.index(x.part)))
    return {line.row: f"{PARTS[line.part]}, hop {line.hop}" for line in found}
