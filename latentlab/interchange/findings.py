"""Whose answer is given on another question's latents, as tables and in sentences."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import estimate, table
from latentlab.interchange.flips import flip_sentences, show_flips
from latentlab.interchange.summary import FRACTIONS
from latentlab.measures.summary import ALL

if TYPE_CHECKING:
    Line = pd.Series[float]

_PARTS = {"latent_text": "latent text", "latent_vision": "latent vision", "latent": "latents"}


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found, in one paragraph a model, and one for each hop of edited pictures."""
    told = [
        f"{model}: {' '.join(_sentences(_distinct(lines)))}"
        for model, lines in _of_rules(summary).groupby("model", sort=False)
    ]
    return [*told, *flip_sentences(summary)]


def show_tables(summary: pd.DataFrame) -> None:
    """Put two tables a model on the screen: whose answers are given, and how far they move.

    The first donor is shown in full, of the controls the widest exchange.
    """
    exchange = {"donor": "donor", "part": "part", "steps": "steps"}
    whose = {
        "n": "n",
        "keeps_own": "own answer %",
        "follows_donor": "donor's answer %",
        "iia": "as expected % (IIA)",
        "n_iia": "n (IIA)",
    }
    moved = {
        "follows_shown": "donor's % if in the picture",
        "n_shown": "n (if in it)",
        "donor_lift": "donor lift, points",
        "margin_shift": "margin shift, nats",
        "flip": "flips %",
    }
    for model, lines in _of_rules(summary).groupby("model", sort=False):
        shown = _distinct(lines)
        first = shown["donor"] == shown["donor"].iloc[0]
        shown = shown[first | ~shown.duplicated(["donor", "part"], keep="last")]
        on = f"{model} on {lines['data'].iloc[0]}, answering on a donor's latents"
        for columns, title in ((whose, f"{on}; 95 % intervals"), (moved, f"{on}: how far")):
            table(shown, exchange | columns, title, percent=(*FRACTIONS, "donor_lift"))
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
        yield (
            f"On latents of the same picture asked from another start {_whose(same)} (n = "
            f"{same[0]['n']}; the donors are right in {estimate(same[0], 'donor_correct')})."
        )
    if unrelated := widest.get("unrelated"):
        text = f"On those of an unrelated question {_whose(unrelated)} (n = {unrelated[0]['n']})"
        led = [line for line in unrelated if line["n_iia"]]
        if led:
            text += (
                f"; where its own picture leads from the donor's object to another answer, it "
                f"gives that one in {_rates(led, 'iia')} (n = {led[0]['n_iia']})"
            )
        yield f"{text}."
    controls = []
    if alike := widest.get("same_answer"):
        whose = "those of another question with the same answer"
        rates = _rates(alike, "keeps_own")
        controls.append(f"on {whose} it gives that answer in {rates} (n = {alike[0]['n']})")
    sham = lines[lines["donor"] == "self"]
    if len(sham):
        flips, asked = round((sham["flip"] * sham["n"]).sum()), sham["n"].sum()
        moved = "" if (sham["kl"] == 0).all() else ": the instrument itself disturbs the model"
        controls.append(f"self-swap, {flips} flips of {asked} answers{moved}")
    if controls:
        text = "; ".join(controls)
        yield f"{text[0].upper()}{text[1:]}."


def _whose(lines: "list[Line]") -> str:
    """How often it is the donor's answer and how often its own, for each part."""
    found = []
    for line in lines:
        at = "" if str(line["step_set"]) == ALL else f" at step {line['steps']}"
        numbers = f"{estimate(line, 'follows_donor')} (its own in {estimate(line, 'keeps_own')})"
        found.append(f"{numbers} with the {_PARTS[str(line['part'])]}{at}")
    return f"it gives the donor's answer in {', '.join(found)}"


def _rates(lines: "list[Line]", name: str) -> str:
    """A number of each part, in the order of the parts."""
    several = ", respectively" if len(lines) > 1 else ""
    return f"{', '.join(estimate(line, name) for line in lines)}{several}"
