"""What an ablation found, as tables and in sentences; made of the summary alone.

The sentences are for someone who has read nothing else: they never say that a part is not needed,
only that no harm was measured, and not even that where there were too few questions to see any.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.console import interval_text, table
from latentlab.instruments.ablation.phrases import CONTROLS, FAMILIES, phrase
from latentlab.measures.outcomes import NONE
from latentlab.measures.statistics import Interval, Verdict, judge
from latentlab.measures.summary import totals
from latentlab.vocabulary import CONTROL

if TYPE_CHECKING:
    Line = pd.Series[float]

LITTLE = 0.3
"""Below this accuracy a model is about as good as guessing among four options."""

HELD_BACK = 0.5
"""Share of answers held back beyond which the reader is warned."""

STILL = 1e-3
"""Nats that the log-odds under a sham may move by; on a CPU they do not move at all."""

_DISTURBED = ": the instrument itself disturbs the model"
_MOVED = {"flip": "answers that flip, %", "log_odds_change": "log-odds of right, nats"}


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table a model on the screen: every arm, and under it its control."""
    for model, lines in totals(summary).groupby("model", sort=False):
        arms = zip(lines["intervention"], lines["kind"], strict=True)
        shown = lines.assign(intervention=[_label(arm, kind) for arm, kind in arms])
        # Compared with itself a model says nothing.
        moved = {name: heading for name, heading in _MOVED.items() if name in shown}
        ends = [f"{name}{end}" for name in ("delta", *moved) for end in ("", "_low", "_high")]
        shown.loc[lines["intervention"] == NONE, [*ends, "p_holm"]] = None
        data, n = lines["data"].iloc[0], lines["n"].iloc[0]
        table(
            shown,
            {
                "intervention": "knock-out at inference",
                "accuracy": "accuracy % [95 %]",
                "delta": "paired difference, points",
                "p_holm": "p (Holm)",
                **moved,
            },
            f"{model}: {n} questions of {data}{_seeds(lines)}",
            percent=("accuracy", "delta", "flip"),
        )


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph each.

    Args:
        summary: lines of `measures.summary`, with `control_of`.
    """
    return [
        " ".join(_sentences(str(model), lines))
        for model, lines in totals(summary).groupby("model", sort=False)
    ]


def held_back(rows: pd.DataFrame) -> list[str]:
    """Which models would mostly have written something between their latent steps and the answer.

    For these, answers that had to come at once are not what the model would have said.

    Args:
        rows: rows of arms that had to answer at once.
    """
    alone = rows[(rows["intervention"] == NONE) & (rows["latent_steps"] > 0)]
    share = 1 - alone.groupby("model", sort=False)["at_once"].mean()
    return [
        f"in {100 * value:.0f} % of its answers {model} would have written something else after "
        "its latent steps before it answers; see --answer"
        for model, value in share[share > HELD_BACK].items()
    ]


def _label(arm: str, kind: str) -> str:
    """An arm's name in the table; controls are set in, under what they control."""
    return f"  control: {arm.rpartition(': ')[2]}" if kind == CONTROL else arm


def _sentences(model: str, lines: pd.DataFrame) -> Iterator[str]:
    alone = lines[lines["intervention"] == NONE].iloc[0]
    text = interval_text(alone["accuracy"], alone["accuracy_low"], alone["accuracy_high"])
    text = f"{model} answers {text.replace(' ', ' % ', 1)} of {alone['n']} questions"
    little = bool(alone["accuracy"] < LITTLE)
    yield f"{text}, so there is little to lose." if little else f"{text}."
    # Where accuracy has no room to fall, answers that flip tell what reaches them.
    flips = little and "flip" in lines and not lines["flip"].isna().any()
    say = _move if flips else _sentence
    arms = _distinct(lines[(lines["kind"] != CONTROL) & (lines["intervention"] != NONE)])
    controls = {line["control_of"]: line for _, line in lines.iterrows() if line["control_of"]}
    for _, line in arms[arms["intervention"].str.startswith("drop ")].iterrows():
        yield say(line, controls.get(line["intervention"]))
    for family, pattern in FAMILIES.items():
        members = arms[arms["intervention"].str.match(pattern).astype(bool)]
        if members.empty:
            continue
        order = members["flip"].rsub(0) if flips else members["delta"]
        line = members.loc[order.sort_values(kind="stable").index[0]]
        sentence = say(line, controls.get(line["intervention"]))
        if len(members) > 1:
            harmful = int((members["delta_high"] < 0).sum()) or "None"
            head = f"{harmful} of {len(members)} {family} measurably cost it points; the worst: "
            if flips:
                most = "one moves most" if members["flip"].any() else "none flips an answer"
                head = f"Of {len(members)} {family} {most}: "
            sentence = f"{head}{sentence[0].lower()}{sentence[1:]}"
        yield sentence
    in_words = arms[arms["intervention"].str.endswith(" rationale")]
    if len(in_words) and not flips:
        yield (
            "So the test sees the use of a rationale in words, as a positive control must."
            if (in_words["delta_high"] < 0).any()
            else "Not even words were seen to be used here, so that a test which sees no use of "
            "latents says nothing."
        )
    shams = lines[lines["intervention"].str.startswith("sham ")]
    if len(shams):
        worst = shams.sort_values("delta", key=abs).iloc[-1]
        off = worst["delta"] != 0 or any(
            (shams[n].abs() > STILL).any() for n in _MOVED if n in shams
        )
        yield f"Sham {_points(worst['delta'])}{_DISTURBED if off else ''}."


def _distinct(arms: pd.DataFrame) -> pd.DataFrame:
    """Leave out what is done to both parts of models that have one, which says everything twice."""
    numbers = ["accuracy", "delta", "delta_low", "delta_high"]
    whole = arms["intervention"].str.replace(r"latent_(text|vision)", "latent", regex=True)
    both = arms["intervention"].str.contains(r"latent(?!_)")
    alike = arms.assign(whole=whole).duplicated(["whole", *numbers], keep=False)
    # Where nothing ever changes all numbers are alike, whatever a model has.
    changed = arms["delta_low"] < arms["delta_high"]
    return arms[~(both & alike & changed & (whole.map(whole.value_counts()) == 2))]


def _sentence(line: "Line", control: "Line | None") -> str:
    """What one arm does to a model, next to its control."""
    what, numbers = phrase(str(line["intervention"])), _numbers(line)
    outcome = _outcome(line)
    if outcome == "harm":
        text = f"{what} it loses {_size(line)} points {_interval(line)}"
    elif outcome == "gain":
        text = f"{what} it gains {_size(line)} points {_interval(line)}"
    elif outcome == "cannot tell":
        text = f"{what} the difference is {numbers}, too uncertain to tell harm from none"
    elif what.startswith("without its"):
        part = what.removeprefix("without ")
        text = f"it can lose {part} without measurable harm ({numbers})"
    else:
        text = f"{what} no harm is measured ({numbers})"
    if control is not None:
        name = CONTROLS[str(control["intervention"]).partition(": ")[2]]
        effect = _outcome(control)
        if effect in ("harm", "gain"):
            did = "loses" if effect == "harm" else "gains"
            text += f"; {name} {did} {_size(control)} {_interval(control)}"
        else:
            text += f"; {name}: {_numbers(control)}"
    return f"{text[0].upper()}{text[1:]}."


def _move(line: "Line", control: "Line | None") -> str:
    """How far an arm moves the answers of a model that has no accuracy to lose."""
    what, flips, odds = phrase(str(line["intervention"])), _shown(line, "flip"), "log_odds_change"
    text = f"{what} {flips} of its answers flip"
    if not pd.isna(line[odds]):
        text += f", and the log-odds of the right one change by {_shown(line, odds)}"
    if control is not None:
        name = CONTROLS[str(control["intervention"]).partition(": ")[2]]
        text += f"; {name}: {_shown(control, 'flip')}"
    return f"{text[0].upper()}{text[1:]}."


def _shown(line: "Line", name: str) -> str:
    """A flip rate or a change in log-odds with its interval and unit."""
    value, low, high = (line[f"{name}{end}"] for end in ("", "_low", "_high"))
    if name == "flip":
        return interval_text(value, low, high).replace(" ", " % ", 1)
    return interval_text(value, low, high, percent=False).replace(" ", " nats ", 1)


def _outcome(line: "Line") -> Verdict:
    """What the interval of a difference allows to say."""
    mean, low, high = (float(line[name]) for name in ("delta", "delta_low", "delta_high"))
    return judge(Interval(mean, low, high, int(line["n"])))


def _seeds(lines: pd.DataFrame) -> str:
    """A remark on random arms that were drawn several times."""
    most = int(lines["seeds"].max()) if "seeds" in lines else 1
    return (
        f"; what is random drawn with {most} seeds, averaged for each question" if most > 1 else ""
    )


def _points(value: float) -> str:
    return f"{100 * value + 0:.1f}"


def _size(line: "Line") -> str:
    return _points(abs(line["delta"]))


def _interval(line: "Line") -> str:
    """The interval of a loss or gain, as positive numbers."""
    low, high = sorted(abs(line[name]) for name in ("delta_low", "delta_high"))
    return f"[{_points(low)}, {_points(high)}]"


def _numbers(line: "Line") -> str:
    """A difference as it is, with its sign."""
    low, high = _points(line["delta_low"]), _points(line["delta_high"])
    return f"{_points(line['delta'])} [{low}, {high}]"
