"""What an ablation found, in sentences; made of the summary alone.

The sentences are for someone who has read nothing else: they never say that a part is not needed,
only that no harm was measured, and not even that where there were too few questions to see any.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.ablate.amounts import lost, numbers, points, verdict
from latentlab.ablate.phrases import CONTROLS, FAMILIES, phrase
from latentlab.ablate.removals import WORDS, Done, depends, effects, joined, ways_of
from latentlab.console import estimate
from latentlab.measures.outcomes import HELD_BACK, NONE, SHAM
from latentlab.measures.summary import totals
from latentlab.vocabulary import CONTROL

if TYPE_CHECKING:
    from latentlab.ablate.amounts import Line

LITTLE = 0.3
"""Below this accuracy a model is about as good as guessing among four options."""

MOST = 3
"""Parts left out of which each is told; of more the worst is."""

STILL = 1e-3
"""Nats that the log-odds under a sham may move by; on a CPU they do not move at all."""

_DISTURBED = ", so the instrument itself disturbs the model"
_MOVED = ("flip", "log_odds_change")


def conclusion(summary: pd.DataFrame) -> list[str]:
    """What was found about each model, in one paragraph of at most three sentences each.

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


def _sentences(model: str, lines: pd.DataFrame) -> Iterator[str]:
    """How many it answers; what it loses without a part; what else was done, and the sham."""
    alone = lines[lines["intervention"] == NONE].iloc[0]
    little = bool(alone["accuracy"] < LITTLE)
    yield _sentence(
        f"{model} answers {estimate(alone, 'accuracy')} of {alone['n']} questions"
        + (", so there is little to lose" if little else ""),
        capital=False,
    )
    # Where accuracy has no room to fall, answers that flip tell what reaches them.
    flips = little and "flip" in lines and not lines["flip"].isna().any()
    first = (lines["kind"] != CONTROL) & ~lines["control_of"].astype(bool)
    arms = _distinct(lines[first & (lines["intervention"] != NONE)])
    others = arms[arms["action"].isin(FAMILIES) & (arms["action"] != "drop")]
    if len(left_out := arms[arms["action"] == "drop"]):
        yield _sentence(_left_out(left_out, lines, flips))
    last = [_family(others, lines, flips)] if len(others) else []
    in_words = arms[arms["part"] == "rationale"]
    if len(in_words) and not flips:
        last.append(
            "so the test sees the use of a rationale in words, as a positive control must"
            if (in_words["delta_high"] < 0).any()
            else "not even words were seen to be used here, so that a test which sees no use of "
            "latents says nothing"
        )
    shams = lines[lines["action"] == SHAM]
    if len(shams):
        last.append(_sham(shams))
    if last:
        yield _sentence("; ".join(last))


def _sentence(text: str, capital: bool = True) -> str:
    """Clauses as a sentence."""
    return f"{text[0].upper() if capital else text[0]}{text[1:]}."


def _left_out(arms: pd.DataFrame, lines: pd.DataFrame, flips: bool) -> str:
    """What a model loses without each part; what ends alike is told together."""
    if len(arms) > MOST:
        return _family(arms, lines, flips)
    if flips:
        odds = len(arms) == 1
        return "; ".join(_move(line, lines, odds) for _, line in arms.iterrows())
    return effects(_done(line, lines) for _, line in arms.iterrows())


def _done(line: "Line", lines: pd.DataFrame) -> Done:
    """An arm under every rule of positions, and next to its controls."""
    return Done(phrase(line), ways_of(line, lines), _beside(line, lines))


def _family(members: pd.DataFrame, lines: pd.DataFrame, flips: bool) -> str:
    """How many arms do harm, and what the worst of them does: a replacement, if there is any."""
    ways = [ways_of(line, lines) for _, line in members.iterrows()]
    losses = [max(-way["delta"] for way in alike.values()) for alike in ways]
    order = members["flip"] if flips else pd.Series(losses, members.index)
    replacing = members["action"] == "replace"
    mixed = members["action"].nunique() > 1
    order = order[replacing] if replacing.any() else order
    line = members.loc[order.sort_values(ascending=False, kind="stable").index[0]]
    clause = _move(line, lines) if flips else effects([_done(line, lines)])
    if len(members) == 1:
        return clause
    worst = "replacement" if mixed and replacing.any() else ""
    if flips:
        one = f"one {worst}".strip()
        most = f"{one} moves most" if line["flip"] else "none flips an answer"
        return f"of {_counted(members)} {most}: {clause}"
    harmful = sum(all(verdict(way) == "harm" for way in alike.values()) for alike in ways)
    text = f"{harmful or 'none'} of {_counted(members)} measurably cost it points"
    if some := sum(map(depends, ways)):
        text += f" whatever becomes of positions, {some} depending on that"
    return f"{text}; the worst{f' {worst}' if worst else ''}: {clause}"


def _counted(members: pd.DataFrame) -> str:
    """How many arms there are, and of what families."""
    counts = members["action"].value_counts(sort=False)
    named = [f"{n} {FAMILIES[str(action)][n > 1]}" for action, n in counts.items()]
    return f"{len(members)} changes ({joined(named, 'and')})" if len(named) > 1 else named[0]


def _sham(shams: pd.DataFrame) -> str:
    """What the worst sham did, which has to be nothing."""
    worst = shams.sort_values("delta", key=abs).iloc[-1]
    moved = any((shams[name].abs() > STILL).any() for name in _MOVED if name in shams)
    if worst["delta"] == 0 and not moved:
        return "the sham changes nothing"
    return f"the sham changes accuracy by {points(worst['delta'])}{_DISTURBED}"


def _distinct(arms: pd.DataFrame) -> pd.DataFrame:
    """Leave out what is done to both parts of models that have one, which says everything twice."""
    done = ["action", "source", "strength", "steps", "context"]
    same = ["accuracy", "delta", "delta_low", "delta_high"]
    alike = arms.duplicated([*done, *same], keep=False)
    # Where nothing ever changes all numbers are alike, whatever a model has.
    changed = (arms["delta"] != 0) | (arms["flip"] > 0 if "flip" in arms else False)
    two = arms.groupby(done, dropna=False)["part"].transform("size") == 2
    return arms[~((arms["part"] == "latent") & alike & changed & two)]


def _beside(line: "Line", lines: pd.DataFrame, name: str = "delta") -> str:
    """What the controls of an arm do, those apart that differ from it in positions only."""
    text, amount = "", numbers if verdict(line) == "gain" else lost
    beside = lines[(lines["control_of"] == line["intervention"]) & (lines["positions"] == "")]
    for _, control in beside.iterrows():
        number = amount(control) if name == "delta" else _shown(control, name)
        text += f", next to {number} when {CONTROLS[str(control['control'])]}"
    return text


def _move(line: "Line", lines: pd.DataFrame, odds: bool = True) -> str:
    """How far an arm moves the answers of a model that has no accuracy to lose."""
    ways = ways_of(line, lines)
    rules = sorted(ways, key=lambda rule: ways[rule]["flip"])
    least, most = rules[0], rules[-1]
    text = f"{_shown(ways[most], 'flip')} of its answers flip {phrase(line)}"
    text += f" where positions are {WORDS[most]}" if most else ""
    if odds and not pd.isna(ways[most]["log_odds_change"]):
        change = _shown(ways[most], "log_odds_change")
        text += f", and the log-odds of the right one change by {change}"
    if least != most:
        text += f", but {_shown(ways[least], 'flip')} where they are {WORDS[least]}"
    return text + _beside(line, lines, "flip")


def _shown(line: "Line", name: str) -> str:
    """A flip rate or a change in log-odds with its interval and unit."""
    if name == "flip":
        return estimate(line, name)
    if 0 < max(abs(line[f"{name}_low"]), abs(line[f"{name}_high"])) < STILL:
        return "nothing but rounding"
    return estimate(line, name, "nats")
