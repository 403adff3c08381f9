"""Whose answer is given on another question's latents, as tables and in sentences."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import estimate, table
from latentlab.interchange.flips import flip_sentences, show_flips
from latentlab.interchange.summary import FRACTIONS
from latentlab.measures.summary import ALL
from latentlab.vocabulary import DonorRule

if TYPE_CHECKING:
    Line = pd.Series[float]

_WHOSE: dict[DonorRule, str] = {
    "same_image": "the same picture asked from another start",
    "unrelated": "an unrelated question",
    "same_answer": "another question with the same answer",
}


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found, in one paragraph for each part of each model."""
    told = [
        sentence
        for model, lines in _of_rules(summary).groupby("model", sort=False)
        for sentence in _sentences(str(model), _distinct(lines))
    ]
    return [*told, *flip_sentences(summary)]


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table a model on the screen: the first donor in full, of the controls the widest."""
    columns = {
        "donor": "donor",
        "part": "part",
        "steps": "steps",
        "n": "n",
        "keeps_own": "own answer %",
        "follows_shown": "donor's answer %, if in the picture",
        "n_shown": "n (if in it)",
        "n_iia": "n (IIA)",
        "iia": "as expected % (IIA)",
        "donor_lift": "donor lift, points",
        "margin_shift": "margin shift, nats",
        "flip": "flips %",
    }
    for model, lines in _of_rules(summary).groupby("model", sort=False):
        shown = _distinct(lines)
        first = shown["donor"] == shown["donor"].iloc[0]
        widest = ~shown.duplicated(["donor", "part"], keep="last")
        table(
            shown[first | widest],
            columns,
            f"{model} on {lines['data'].iloc[0]}, answering on a donor's latents; 95 % intervals",
            percent=(*FRACTIONS, "donor_lift"),
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


def _sentences(model: str, lines: pd.DataFrame) -> Iterator[str]:
    """For each part the widest exchange with each donor, and the sham over all of them."""
    for part, of_part in lines.groupby("part", sort=False):
        name = "latents" if part == "latent" else str(part).replace("_", " ")
        widest = {
            str(line["donor"]): line
            for _, line in of_part.drop_duplicates("donor", keep="last").iterrows()
        }
        found: list[str] = []
        for rule, whose in _WHOSE.items():
            if (line := widest.get(rule)) is not None:
                at = "" if line["step_set"] == "all" else f" at step {line['steps']}"
                given = "those" if found else f"the {name}{at}"
                found.append(f"with {given} of {whose} {_answers(line, rule)}")
        if found:
            yield f"{model}: {'; '.join(found)}."
    sham = lines[lines["donor"] == "self"]
    if len(sham):
        flips, asked = round((sham["flip"] * sham["n"]).sum()), sham["n"].sum()
        moved = "" if (sham["kl"] == 0).all() else ": the instrument itself disturbs the model"
        yield f"{model}: self-swap, {flips} flips of {asked} answers{moved}."


def _answers(line: "Line", rule: DonorRule) -> str:
    """Whose answers one exchange gives."""
    own = f"its own in {estimate(line, 'keeps_own')}"
    if rule == "same_answer":
        return f"it gives their common answer in {estimate(line, 'keeps_own')} of {line['n']}"
    text = f"its answer is the donor's in {estimate(line, 'follows_donor')} of {line['n']}, {own}"
    if rule == "same_image":
        text += f" (donors themselves are right in {estimate(line, 'donor_correct')})"
    elif line["n_shown"]:
        text += (
            f" ({estimate(line, 'follows_shown')} of the {line['n_shown']} whose picture shows "
            "that object)"
        )
    if rule == "unrelated" and line["n_iia"]:
        text += (
            f", and where its own picture leads from the donor's object in {estimate(line, 'iia')} "
            f"of the {line['n_iia']} for which that is another answer"
        )
    return text
