"""Interchange interventions: whose answer does a model give on another question's latents?

    python -m latentlab.interchange
    python -m latentlab.interchange --model relay --steps each --donor same_image self
    python -m latentlab.interchange --model ivtlr --part latent_vision --limit 400
    python -m latentlab.interchange --model ivtlr --donor counterfactual --hop 4

A recipient keeps its prompt, picture and options; the latents of some steps are those of a donor.
Donors ask about the same picture from another start, so that the answer to expect is known; every
other donor is a control. A counterfactual donor is the question itself on a picture in which one
mark was changed (docs/interchange.md).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from latentlab.command import CommonConfig, run
from latentlab.errors import UserError
from latentlab.vocabulary import AnswerMode, Donor, DonorRule, LatentPart, StepContext, StepSets

if TYPE_CHECKING:
    import pandas as pd

    from latentlab.data import Examples
    from latentlab.reasoner import Reasoner

_WHOSE: dict[DonorRule, str] = {
    "same_image": "the same picture asked from another start",
    "unrelated": "an unrelated question",
    "same_answer": "another question with the same answer",
}


@dataclass(frozen=True, kw_only=True)
class InterchangeConfig(CommonConfig):
    """Flags of `python -m latentlab.interchange`."""

    model: tuple[str, ...] = ("ivtlr", "relay", "gaze")
    """Models, each the name of an embedded organism, the folder of a checkpoint or a hub name."""

    limit: int = 200
    """Number of examples at most."""

    donor: tuple[Donor, ...] = get_args(DonorRule)
    """Whose latents are put in: same_image (asked from another start), unrelated (another picture,
    another answer), same_answer (another picture, the same answer), self (the sham), or
    counterfactual (the same question on the picture with one mark changed)."""

    hop: tuple[int, ...] = ()
    """Of counterfactual donors, the hops whose mark is changed, counted from 1; by default the last
    of each question."""

    context: StepContext = "frozen"
    """Of counterfactual donors, what latents that are not exchanged hold: frozen, their own
    undisturbed values, or remade from what they now see."""

    part: tuple[LatentPart, ...] = ()
    """What is exchanged; by default each part that a model has, and both together."""

    steps: tuple[StepSets, ...] = get_args(StepSets)
    """At which latent steps: each one alone (each), steps 1 to t (cumulative), all of them."""

    answer: AnswerMode = "at_once"
    """at_once: the answer must follow the latent steps, so that nothing can be written out in words
    that the latents were to hold; free: the model writes what it likes."""

    max_new_tokens: int = 64
    """Tokens of an answer at most."""

    def __post_init__(self) -> None:
        """Refuse flags that leave nothing to do, and donors that do not exist."""
        super().__post_init__()
        for flag, values in (("--donor", self.donor), ("--steps", self.steps)):
            if not values:
                raise UserError(f"{flag} names nothing: give at least one")
            if len(set(values)) < len(values):
                raise UserError(f"{flag} names one thing twice: {' '.join(values)}")
        if self.max_new_tokens < 1:
            raise UserError(f"--max-new-tokens {self.max_new_tokens} is too small: at least 1")
        for rule in self.donor:
            if rule not in get_args(Donor):
                known = ", ".join(get_args(Donor))
                raise UserError(f"--donor {rule} is no donor rule; the rules are {known}")
        for flag, given in (("--hop", self.hop), ("--context", self.context != "frozen")):
            if given and "counterfactual" not in self.donor:
                raise UserError(f"{flag} goes with --donor counterfactual, which was not given")
        if any(hop < 1 for hop in self.hop) or len(set(self.hop)) < len(self.hop):
            raise UserError("--hop takes hops from 1 on, each once")

    @property
    def rules(self) -> tuple[DonorRule, ...]:
        """The donors that are other questions, or the question itself as a sham."""
        return tuple(rule for rule in get_args(DonorRule) if rule in self.donor)


def rows_of(
    config: InterchangeConfig, reasoner: "Reasoner", examples: "Examples"
) -> "pd.DataFrame":
    """Run every exchange on one model; see `swaps.rows_of`."""
    from latentlab.instruments.interchange import swaps

    return swaps.rows_of(config, reasoner, examples)


def summary_of(rows: "pd.DataFrame", seed: int) -> "pd.DataFrame":
    """Make the lines of the tables; see `measures.interchange.summary_of`."""
    from latentlab.measures import interchange

    return interchange.summary_of(rows, seed)


def conclusion(summary: "pd.DataFrame") -> list[str]:
    """What was found, in one paragraph for each part of each model."""
    from latentlab.instruments.interchange.flips import flip_sentences

    told = [
        sentence
        for model, lines in _of_rules(summary).groupby("model", sort=False)
        for sentence in _sentences(str(model), _distinct(lines))
    ]
    return [*told, *flip_sentences(summary)]


def show_tables(summary: "pd.DataFrame") -> None:
    """Put one table a model on the screen: the first donor in full, of the controls the widest."""
    from latentlab.console import table
    from latentlab.instruments.interchange.flips import show_flips
    from latentlab.measures.interchange import FRACTIONS

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


def _of_rules(summary: "pd.DataFrame") -> "pd.DataFrame":
    """The lines of all donors but counterfactual ones, over all domains."""
    from latentlab.measures.summary import ALL

    return summary[(summary["domain"] == ALL) & (summary["donor"] != "counterfactual")]


def _distinct(lines: "pd.DataFrame") -> "pd.DataFrame":
    """Leave out both parts together of a model that has but one, which says everything twice."""
    parts = list(dict.fromkeys(lines["part"]))
    if len(parts) != 2 or parts[1] != "latent":
        return lines
    one, both = (
        lines[lines["part"] == part].drop(columns="part").reset_index(drop=True) for part in parts
    )
    return lines[lines["part"] == parts[0]] if one.equals(both) else lines


def _sentences(model: str, lines: "pd.DataFrame") -> Iterator[str]:
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


def _answers(line: "pd.Series[float]", rule: DonorRule) -> str:
    """Whose answers one exchange gives."""
    own = f"its own in {_percent(line, 'keeps_own')}"
    if rule == "same_answer":
        return f"it gives their common answer in {_percent(line, 'keeps_own')} of {line['n']}"
    text = f"its answer is the donor's in {_percent(line, 'follows_donor')} of {line['n']}, {own}"
    if rule == "same_image":
        text += f" (donors themselves are right in {_percent(line, 'donor_correct')})"
    elif line["n_shown"]:
        text += (
            f" ({_percent(line, 'follows_shown')} of the {line['n_shown']} whose picture shows "
            "that object)"
        )
    if rule == "unrelated" and line["n_iia"]:
        text += (
            f", and where its own picture leads from the donor's object in {_percent(line, 'iia')} "
            f"of the {line['n_iia']} for which that is another answer"
        )
    return text


def _percent(line: "pd.Series[float]", name: str) -> str:
    """A fraction with its interval."""
    from latentlab.console import interval_text

    text = interval_text(line[name], line[f"{name}_low"], line[f"{name}_high"])
    return text.replace(" ", " % ", 1)


def main(config: InterchangeConfig) -> None:
    """Run the study and say what it found."""
    from latentlab.console import note, show
    from latentlab.instruments.interchange.swaps import check_data, check_model
    from latentlab.studies import run_study

    left: list[bool] = []

    def lacking(message: str) -> None:
        if len(config.model) == 1:
            raise UserError(message)
        note(f"{message}; passed over")

    def check(reasoner: "Reasoner", examples: "Examples") -> None:
        fits = check_model(config, reasoner, examples, lacking)
        if not left:  # donors are a matter of the data alone
            check_data(config, examples, note)
        left.append(fits)
        if len(left) == len(config.model) and not any(left):
            raise UserError("nothing is left to do: the models have nothing to exchange")

    results, out = run_study(
        config,
        "interchange",
        lambda reasoner, examples: rows_of(config, reasoner, examples),
        check,
        summary_of,
    )
    show_tables(results.summary)
    for sentence in conclusion(results.summary):
        show(sentence)
    show("Prompt, picture and options are the recipient's, weights unchanged; 95 % intervals.")
    show(f"Rows, summary and settings are in {out}.")


if __name__ == "__main__":
    sys.exit(run(InterchangeConfig, main, "interchange"))
