"""Whether answers follow one mark that is changed in the latents alone.

Studies: `counterfactual` and `counterfactual-one-hop` (`latentlab.interchange`): the donor is the
question itself on a picture in which the mark that a hop reads names another object. The test is
that of ReaLVR's counterfactual pairs (strict and false flips), on latents instead of inputs; there
is no such figure in the IVT-LR paper.
"""

from collections.abc import Iterator

import pandas as pd

from latentlab.figures import studies
from latentlab.figures.artifacts import Drawing
from latentlab.figures.dots import HOLLOW, draw_dots
from latentlab.figures.experiment import Found
from latentlab.figures.instruments import UNPUBLISHED, WEIGHTS, legend, of_sham, sampled
from latentlab.figures.lines import names
from latentlab.figures.style import canvas, look
from latentlab.interchange.flips import of_edits
from latentlab.measures.summary import ALL
from latentlab.vocabulary import PARTS

STUDIES = (studies.COUNTERFACTUALS, studies.COUNTERFACTUALS_ONE_HOP)

SERIES = {
    "strict": "becomes what the changed mark says",
    "false": "becomes another answer",
    "permuted": "sham: dimensions permuted",
    "other_question": "sham: another question's change",
    "off_walk": "sham: a mark off the walk",
}
"""What marks stand for; of shams it is how often the answer becomes what the mark would say."""


def make(found: Found) -> Drawing:
    """The figure: a panel for each model, a row for each hop, part and set of steps."""
    results = [found[study.name] for study in STUDIES]
    lines = pd.concat([of_edits(run.summary) for run in results], ignore_index=True)
    whole = lines[(lines["needed_cell"] == ALL) & (lines["part"] != "latent")]
    data = pd.DataFrame(_marks(whole[whole["patches"] != "every"]))
    rows = {
        row: f"hop {hop}: {PARTS[part]}, step{'' if steps.isdigit() else 's'} "
        + steps.replace("..", "–")
        for row, hop, part, steps in data[["row", "hop", "part", "steps"]]
        .drop_duplicates()
        .sort_values(["hop", "part"], kind="stable", key=_order)
        .itertuples(index=False)
    }
    models = names(data["model"])
    looks = {name: look(i) | {"label": label} for i, (name, label) in enumerate(SERIES.items(), 1)}
    for name in SERIES:
        if name not in ("strict", "false"):
            looks[name] |= HOLLOW
    height = 0.9 + 0.17 * len(rows)
    figure, axes = canvas("double", max(height, 2.2), 1, len(models), sharex=True, sharey=True)
    for axis, model in zip(axes, models, strict=True):
        draw_dots(axis, data[data["model"] == model], rows, looks, "share")
        axis.set(title=model, xlim=(-5, 105))
    figure.supxlabel("share of answers (%)", fontsize=7.5)
    legend(figure, axes[0], {}, 3)
    back = lines[lines["sham"] == "self"]
    asked = "; ".join(
        sampled(of_data, str(source))
        for source, of_data in whole[whole["sham"] == ""].groupby("data", sort=False)
    )
    caption = (
        "Answers when one mark is changed in the latents alone. Prompt and picture stay as they "
        "are and all other latents are put back as they were; of the named part and steps, what "
        "the picture with the changed mark makes of it: latent text as it is made there, and of "
        "the re-inserted patches, at the question's own picks, that of the changed cell (where it "
        f"is not picked nothing changes). {asked}. {WEIGHTS} Shams put in a change of the same "
        "norm; hollow marks are how often the answer then becomes what the changed mark says. "
        "The mark off the walk names the same object and lies in the cell picked beside the "
        "needed one; where that is on the walk there is no such sham. Putting latents back as they "
        f"were changes {of_sham(back[['flip', 'kl']])}. Bars are 95 % Wilson intervals. Both parts "
        "together, every patch taken from the changed picture, and questions with and without the "
        f"cell among their picks are in the summaries of the studies. {UNPUBLISHED}"
    )
    return Drawing(figure, data, caption)


def _marks(lines: pd.DataFrame) -> Iterator[dict[str, object]]:
    """One line for each mark: what share of answers became what."""
    for _, line in lines[lines["sham"] != "self"].iterrows():
        head = {name: line[name] for name in ("model", "data", "hop", "part", "steps", "n")}
        head["row"] = f"{line['hop']} {line['part']} {line['steps']}"
        outcomes = {"strict": "strict_flip", "false": "false_flip"}
        for series, column in ({line["sham"]: "strict_flip"} if line["sham"] else outcomes).items():
            share = {f"share{end}": line[f"{column}{end}"] for end in ("", "_low", "_high")}
            yield {**head, "series": series, **share}


def _order(values: pd.Series) -> pd.Series:
    """Hops in rising order, parts as in other figures."""
    return values.map(list(PARTS).index) if values.name == "part" else values
