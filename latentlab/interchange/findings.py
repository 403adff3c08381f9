"""Whose answer is given on another question's latents, as tables and in sentences."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import estimate, percent, table
from latentlab.interchange.flips import flip_sentences, show_flips
from latentlab.interchange.lines import FRACTIONS
from latentlab.measures.summary import ALL
from latentlab.wording import DONORS, PARTS, data_name, joined, paragraph, sentence

if TYPE_CHECKING:
    Line = pd.Series[float]

_COLUMNS = {
    "donor": "latents of",
    "part": "part",
    "steps": "steps",
    "n": "n",
    "keeps_own": "own answer, %",
    "follows_donor": "donor's answer, %",
    "iia": "as expected (IIA), %",
    "n_iia": "n (IIA)",
    "follows_shown": "donor's, if in the picture, %",
    "n_shown": "n (if in it)",
    "donor_lift": "change in donor's answer, points",
    "margin_shift": "change in margin, nats",
    "flip": "flips, %",
}
SPARE = ("n_shown", "follows_shown", "flip", "margin_shift", "donor_lift", "n_iia", "n", "iia")
"""Columns that a narrow screen does without, the first to go first: whose answer it is stays."""


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found, in one paragraph a model, and one for each hop of edited pictures."""
    told = [
        paragraph(str(model), *_sentences(_distinct(lines)))
        for model, lines in _of_rules(summary).groupby("model", sort=False)
    ]
    return [*told, *flip_sentences(summary)]


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table a model on the screen: whose answers are given, and how far they move.

    The first donor is shown in full, of the controls the widest exchange.
    """
    for model, lines in _of_rules(summary).groupby("model", sort=False):
        shown = _distinct(lines)
        first = shown["donor"] == shown["donor"].iloc[0]
        shown = shown[first | ~shown.duplicated(["donor", "part"], keep="last")]
        named = {"donor": shown["donor"].map(DONORS), "part": shown["part"].map(PARTS)}
        table(
            shown.assign(**named),
            _COLUMNS,
            f"{model} on {data_name(str(lines['data'].iloc[0]))}, answering on other latents",
            percent=(*FRACTIONS, "donor_lift"),
            changes=("donor_lift", "margin_shift"),
            spare=SPARE,
            keys=3,
        )
    show_flips(summary)


def _of_rules(summary: pd.DataFrame) -> pd.DataFrame:
    """The lines of all donors but counterfactual ones, over all domains."""
    return summary[(summary["domain"] == ALL) & (summary["donor"] != "counterfactual")]


def _distinct(lines: pd.DataFrame) -> pd.DataFrame:
    """Leave out both parts together of a model that has but one, which says everything twice."""
    parts = list(dict.fromkeys(lines["part"]))
    if len(parts) != 2 or parts[1] != "latent":
        return lines
    one, both = (
        lines[lines["part"] == part].drop(columns="part").reset_index(drop=True) for part in parts
    )
    return lines[lines["part"] == parts[0]] if one.equals(both) else lines


def _sentences(lines: pd.DataFrame) -> Iterator[str]:
    """What the widest exchange of each part did: with the treatment, then with each control."""
    widest = {
        str(donor): [line for _, line in of.drop_duplicates("part", keep="last").iterrows()]
        for donor, of in lines[lines["donor"] != "self"].groupby("donor", sort=False)
    }
    if same := widest.get("same_image"):
        yield sentence(
            f"on {_what(same)} of the same picture asked from another start {_whose(same)} "
            f"(n = {same[0]['n']}; the donors are right in {_share(same[0], 'donor_correct')})"
        )
    if unrelated := widest.get("unrelated"):
        text = f"on those of an unrelated question {_whose(unrelated)} (n = {unrelated[0]['n']})"
        led = [line for line in unrelated if line["n_iia"]]
        more = ""
        if led:
            more = (
                f"where its own picture leads from the donor's object to another answer, it gives "
                f"that one in {_rates(led, 'iia')} (n = {led[0]['n_iia']})"
            )
        yield sentence(text, more)
    controls = []
    if alike := widest.get("same_answer"):
        rates = _rates(alike, "keeps_own")
        controls.append(
            "on those of another question with the same answer it gives that answer in "
            f"{rates} (n = {alike[0]['n']})"
        )
    sham = lines[lines["donor"] == "self"]
    if len(sham):
        flips, asked = round((sham["flip"] * sham["n"]).sum()), sham["n"].sum()
        moved = "" if (sham["kl"] == 0).all() else ": the instrument itself disturbs the model"
        controls.append(f"on its own {_count(flips)} of {asked:,} answers flip{moved}")
    yield sentence(*controls)


def _what(lines: "list[Line]") -> str:
    """What is exchanged, in one word."""
    return "words" if str(lines[0]["part"]) == "rationale" else "latents"


def _count(number: int) -> str:
    return "none" if number == 0 else f"{number:,}"


def _whose(lines: "list[Line]") -> str:
    """How often it is the donor's answer and how often its own, for each part."""
    found = []
    for line in lines:
        at = "" if str(line["step_set"]) == ALL else f" at step {line['steps']}"
        own = _share(line, "keeps_own")
        numbers = f"{estimate(line, 'follows_donor')} (its own in {own})"
        found.append(f"{numbers} with the {PARTS[str(line['part'])]}{at}")
    return f"it gives the donor's answer in {joined(found)}"


def _rates(lines: "list[Line]", name: str) -> str:
    """A number of each part, in the order of the parts."""
    several = ", respectively" if len(lines) > 1 else ""
    return f"{joined([_share(line, name) for line in lines])}{several}"


def _share(line: "Line", name: str) -> str:
    """A fraction of a line's questions, without its interval."""
    return percent(float(line[name]), int(line["n"]))
