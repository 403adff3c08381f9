"""What an ablation found, as tables and in sentences; made of the summary alone.

The sentences are for someone who has read nothing else: they never say that a part is not needed,
only that no harm was measured, and not even that where there were too few questions to see any.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab import console
from latentlab.ablate.amounts import (
    interval,
    numbers,
    points,
    size,
    smallest,
    verdict,
)
from latentlab.ablate.phrases import CONTROLS, FAMILIES, phrase
from latentlab.ablate.removals import depends, removal, ways_of
from latentlab.console import interval_text, table
from latentlab.measures.outcomes import HELD_BACK, NONE, SHAM
from latentlab.measures.summary import totals
from latentlab.vocabulary import CONTROL, EMPTY

if TYPE_CHECKING:
    from latentlab.ablate.amounts import Line

WIDE = 120
"""Columns of a screen below which a table is cut in two."""

LITTLE = 0.3
"""Below this accuracy a model is about as good as guessing among four options."""

STILL = 1e-3
"""Nats that the log-odds under a sham may move by; on a CPU they do not move at all."""

_DISTURBED = ": the instrument itself disturbs the model"
_MOVED = {"flip": "answers flipped, %", "log_odds_change": "log-odds of right, nats"}


def show_tables(summary: pd.DataFrame) -> None:
    """Put one table a model on the screen: every arm, and under it what goes with it.

    What removes the same stands together, whatever becomes of positions. A narrow screen gets what
    happens to accuracy first, and how answers move in a table of its own.
    """
    for model, lines in totals(summary).groupby("model", sort=False):
        shown = lines.assign(intervention=[_label(line) for _, line in lines.iterrows()])
        # Compared with itself a model says nothing.
        moved = {name: heading for name, heading in _MOVED.items() if name in shown}
        ends = [f"{name}{end}" for name in ("delta", *moved) for end in ("", "_low", "_high")]
        ends += [name for name in ("delta_smallest", "p_holm") if name in shown]
        shown.loc[lines["intervention"] == NONE, ends] = None
        data, n = lines["data"].iloc[0], lines["n"].iloc[0]
        arm = {"intervention": "knock-out at inference"}
        counted = {"accuracy": "accuracy % [95 %]", "delta": "paired difference, points"}
        counted |= {"delta_smallest": "could tell"} if "delta_smallest" in shown else {}
        moved = {"p_holm": "p (Holm)", **moved}
        wide = console.results.width >= WIDE
        for columns in [arm | counted | moved] if wide else [arm | counted, arm | moved]:
            table(
                shown,
                columns,
                f"{model}: {n} questions of {data}{_seeds(lines)}",
                percent=("accuracy", "delta", "delta_smallest", "flip"),
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


def _label(line: "Line") -> str:
    """An arm's name in the table; what goes with another arm is set in, under it."""
    arm, positions = str(line["intervention"]), str(line["positions"])
    if positions:
        rule = EMPTY if positions == "kept" else positions
        return f"  {rule}" if line["control_of"] else f"{arm}: {rule}"
    if str(line["action"]) == SHAM:
        return f"  control: {arm}"
    return f"  control: {line['control']}" if str(line["kind"]) == CONTROL else arm


def _sentences(model: str, lines: pd.DataFrame) -> Iterator[str]:
    alone = lines[lines["intervention"] == NONE].iloc[0]
    text = interval_text(alone["accuracy"], alone["accuracy_low"], alone["accuracy_high"])
    text = f"{model} answers {text.replace(' ', ' % ', 1)} of {alone['n']} questions"
    little = bool(alone["accuracy"] < LITTLE)
    yield f"{text}, so there is little to lose." if little else f"{text}."
    # Where accuracy has no room to fall, answers that flip tell what reaches them.
    flips = little and "flip" in lines and not lines["flip"].isna().any()
    first = (lines["kind"] != CONTROL) & ~lines["control_of"].astype(bool)
    arms = _distinct(lines[first & (lines["intervention"] != NONE)])
    for _, line in arms[arms["action"] == "drop"].iterrows():
        yield _move(line, lines) if flips else _sentence(line, lines)
    for action, family in FAMILIES.items():
        members = arms[arms["action"] == action]
        if members.empty:
            continue
        yield _family(family, members, lines, flips)
    in_words = arms[arms["part"] == "rationale"]
    if len(in_words) and not flips:
        yield (
            "So the test sees the use of a rationale in words, as a positive control must."
            if (in_words["delta_high"] < 0).any()
            else "Not even words were seen to be used here, so that a test which sees no use of "
            "latents says nothing."
        )
    shams = lines[lines["action"] == SHAM]
    if len(shams):
        worst = shams.sort_values("delta", key=abs).iloc[-1]
        off = worst["delta"] != 0 or any(
            (shams[n].abs() > STILL).any() for n in _MOVED if n in shams
        )
        yield f"Sham {points(worst['delta'])}{_DISTURBED if off else ''}."


def _family(family: str, members: pd.DataFrame, lines: pd.DataFrame, flips: bool) -> str:
    """How many arms of a family do harm, and what the worst of them does."""
    ways = [ways_of(line, lines) for _, line in members.iterrows()]
    losses = [max(-way["delta"] for way in alike.values()) for alike in ways]
    order = members["flip"] if flips else pd.Series(losses, members.index)
    line = members.loc[order.sort_values(ascending=False, kind="stable").index[0]]
    sentence = _move(line, lines) if flips else _sentence(line, lines)
    if len(members) == 1:
        return sentence
    if flips:
        most = "one moves most" if members["flip"].any() else "none flips an answer"
        head = f"Of {len(members)} {family} {most}: "
    else:
        harmful = sum(all(verdict(way) == "harm" for way in alike.values()) for alike in ways)
        head = f"{harmful or 'None'} of {len(members)} {family} measurably cost it points"
        if members["positions"].any():
            some = sum(map(depends, ways)) or "none"
            head += f" whatever becomes of positions, {some} depending on that"
        head += "; the worst: "
    return f"{head}{sentence[0].lower()}{sentence[1:]}"


def _distinct(arms: pd.DataFrame) -> pd.DataFrame:
    """Leave out what is done to both parts of models that have one, which says everything twice."""
    done = ["action", "source", "strength", "steps", "context"]
    same = ["accuracy", "delta", "delta_low", "delta_high"]
    alike = arms.duplicated([*done, *same], keep=False)
    # Where nothing ever changes all numbers are alike, whatever a model has.
    changed = arms["delta_low"] < arms["delta_high"]
    two = arms.groupby(done, dropna=False)["part"].transform("size") == 2
    return arms[~((arms["part"] == "latent") & alike & changed & two)]


def _sentence(line: "Line", lines: pd.DataFrame) -> str:
    """What one arm does to a model, under each rule of positions, next to its control."""
    what, ways = phrase(line), ways_of(line, lines)
    text = removal(what, ways) if len(ways) > 1 else _effect(what, line)
    for _, control in _controls(line, lines).iterrows():
        name = CONTROLS[str(control["control"])]
        effect = {"harm": "loses", "gain": "gains"}.get(verdict(control))
        text += f"; {name}"
        text += (
            f" {effect} {size(control)} {interval(control)}" if effect else f": {numbers(control)}"
        )
    return f"{text[0].upper()}{text[1:]}."


def _effect(what: str, line: "Line") -> str:
    """What one arm does to a model."""
    said = verdict(line)
    if said in ("harm", "gain"):
        did = "loses" if said == "harm" else "gains"
        return f"{what} it {did} {size(line)} points {interval(line)}"
    told = "; ".join(filter(None, (numbers(line), smallest(line))))
    if said == "cannot tell":
        return f"{what} the difference is {told}, too uncertain to tell harm from none"
    if what.startswith("without its"):
        part = what.removeprefix("without ")
        return f"it can lose {part} without measurable harm ({told})"
    return f"{what} no harm is measured ({told})"


def _move(line: "Line", lines: pd.DataFrame) -> str:
    """How far an arm moves the answers of a model that has no accuracy to lose."""
    what, flips, odds = phrase(line), _shown(line, "flip"), "log_odds_change"
    text = f"{what} {flips} of its answers flip"
    if not pd.isna(line[odds]):
        text += f", and the log-odds of the right one change by {_shown(line, odds)}"
    for _, other in lines[lines["control_of"] == line["intervention"]].iterrows():
        name = CONTROLS[str(other["control"])]
        text += f"; {name}: {_shown(other, 'flip')}"
    return f"{text[0].upper()}{text[1:]}."


def _controls(line: "Line", lines: pd.DataFrame) -> pd.DataFrame:
    """The controls of an arm, those apart that differ from it in what becomes of positions."""
    beside = lines[lines["control_of"] == line["intervention"]]
    return beside[beside["positions"] == ""] if line["positions"] else beside


def _shown(line: "Line", name: str) -> str:
    """A flip rate or a change in log-odds with its interval and unit."""
    value, low, high = (line[f"{name}{end}"] for end in ("", "_low", "_high"))
    if name == "flip":
        return interval_text(value, low, high).replace(" ", " % ", 1)
    if 0 < max(abs(low), abs(high)) < STILL:
        return "nothing but rounding"
    return interval_text(value, low, high, percent=False).replace(" ", " nats ", 1)


def _seeds(lines: pd.DataFrame) -> str:
    """A remark on random arms that were drawn several times."""
    most = int(lines["seeds"].max()) if "seeds" in lines else 1
    return (
        f"; what is random drawn with {most} seeds, averaged for each question" if most > 1 else ""
    )
