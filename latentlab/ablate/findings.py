"""What an ablation found, in sentences; made of the summary alone.

The sentences are for someone who has read nothing else: they never say that a part is not needed,
only that nothing was measured, and how much would have shown.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from latentlab.ablate.amounts import right, verdict
from latentlab.ablate.phrases import FAMILIES, phrase
from latentlab.ablate.removals import Done, depends, effects, ways_of, where
from latentlab.console import estimate, percent, typeset
from latentlab.measures.outcomes import HELD_BACK, NONE, SHAM
from latentlab.measures.summary import totals
from latentlab.vocabulary import CONTROL
from latentlab.wording import CONTROLS, joined, paragraph, sentence

if TYPE_CHECKING:
    from latentlab.ablate.amounts import Line

LITTLE = 0.3
"""Below this accuracy a model is about as good as guessing among four options."""

MOST = 3
"""Parts left out of which each is told; of more the worst is."""

STILL = 1e-3
"""Nats that the log-odds under a sham may move by; on a CPU they do not move at all."""

_DISTURBED = ": the instrument itself disturbs the model"


def conclusion(summary: pd.DataFrame, needed: Mapping[str, str] | None = None) -> list[str]:
    """What was found about each model, in one paragraph of at most three sentences each.

    Args:
        summary: lines of `measures.summary`, with `control_of`.
        needed: of each model how many answers need its latents
            (`necessity_findings.necessity_clauses`).
    """
    needed = needed or {}
    return [
        paragraph(str(model), *_sentences(lines, needed.get(str(model), "")))
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
        f"in {percent(value)} of its answers {model} would have written something else after "
        "its latent steps before it answers; see --answer"
        for model, value in share[share > HELD_BACK].items()
    ]


def _sentences(lines: pd.DataFrame, needed: str) -> Iterator[str]:
    """What it answers without each part; what else was done; the sham and the positive control."""
    alone = lines[lines["intervention"] == NONE].iloc[0]
    whole = f"{estimate(alone, 'accuracy')} of {alone['n']} questions"
    little = bool(alone["accuracy"] < LITTLE)
    # Where accuracy has no room to fall, answers that flip tell what reaches them.
    flips = little and "flip" in lines and not lines["flip"].isna().any()
    first = (lines["kind"] != CONTROL) & ~lines["control_of"].astype(bool)
    arms = _distinct(lines[first & (lines["intervention"] != NONE)])
    left_out = arms[arms["action"] == "drop"]
    others = arms[arms["action"].isin(FAMILIES) & (arms["action"] != "drop")]
    if little or left_out.empty or len(left_out) > MOST:
        guess = ", about what guessing gives" if little else ""
        head, whole = f"it answers {whole}{guess}", ""
    else:
        head = ""
    told = _left_out(left_out, lines, flips, whole) if len(left_out) else []
    yield sentence(head, *told)
    if len(others):
        yield sentence(*_family(others, lines, flips))
    yield sentence(needed, *_checks(lines, arms, flips))


def _checks(lines: pd.DataFrame, arms: pd.DataFrame, flips: bool) -> Iterator[str]:
    """What words as the positive control say, and what the sham does."""
    in_words = arms[arms["part"] == "rationale"]
    if len(in_words) and not flips:
        yield (
            "the test sees the use of a rationale in words, as a positive control must"
            if (in_words["delta_high"] < 0).any()
            else "not even words were seen to be used here, so a test that sees no use of latents "
            "says nothing"
        )
    shams = lines[lines["action"] == SHAM]
    if len(shams):
        yield _sham(shams)


def _left_out(arms: pd.DataFrame, lines: pd.DataFrame, flips: bool, whole: str) -> list[str]:
    """What a model answers without each part; what ends alike is told together."""
    if len(arms) > MOST:
        return _family(arms, lines, flips)
    if flips:
        return [_move(line, lines) for _, line in arms.iterrows()]
    return effects([_done(line, lines) for _, line in arms.iterrows()], whole)


def _done(line: "Line", lines: pd.DataFrame) -> Done:
    """An arm under every rule of positions, and next to its controls."""
    return Done(phrase(line), ways_of(line, lines), _beside(line, lines))


def _family(members: pd.DataFrame, lines: pd.DataFrame, flips: bool) -> list[str]:
    """How many arms do harm, and what the worst of them does: a replacement, if there is any."""
    ways = [ways_of(line, lines) for _, line in members.iterrows()]
    losses = [max(-way["delta"] for way in alike.values()) for alike in ways]
    order = members["flip"] if flips else pd.Series(losses, members.index)
    replacing = members["action"] == "replace"
    mixed = members["action"].nunique() > 1
    order = order[replacing] if replacing.any() else order
    line = members.loc[order.sort_values(ascending=False, kind="stable").index[0]]
    clauses = [_move(line, lines)] if flips else effects([_done(line, lines)])
    if len(members) == 1:
        return clauses
    worst = " replacement" if mixed and replacing.any() else ""
    if flips:
        if not line["flip"]:
            return [f"none of {_counted(members)} flips an answer"]
        return [f"of {_counted(members)} the{worst or ' one'} that moves most: {clauses[0]}"]
    harmful = sum(all(verdict(way) == "harm" for way in alike.values()) for alike in ways)
    some = sum(map(depends, ways))
    text = f"{harmful or 'none'} of {_counted(members)} measurably cost answers"
    text += f", {some} more depending on positions" if some else ""
    return [text, *([f"the worst{worst}: {clauses[0]}"] if harmful or some else [])]


def _counted(members: pd.DataFrame) -> str:
    """How many arms there are, and of what families."""
    counts = members["action"].value_counts(sort=False)
    named = [f"{n} {FAMILIES[str(action)][n > 1]}" for action, n in counts.items()]
    return f"{len(members)} changes ({joined(named)})" if len(named) > 1 else named[0]


def _sham(shams: pd.DataFrame) -> str:
    """What the shams did, which has to be nothing: no answer flips, no log-odds move."""
    words = (shams["part"] == "rationale").all()
    what = f"putting its own {'words' if words else 'latents'} back"
    odds = shams["log_odds_change"].abs().max() if "log_odds_change" in shams else 0.0
    known = "flip" in shams and shams["flip"].notna().all()
    flips = (shams["flip" if known else "delta"].abs() * shams["n"]).round()
    if flips.sum():
        done = "flips" if known else "changes"
        return f"{what} {done} {int(flips.max())} of {shams['n'].max()} answers{_DISTURBED}"
    if odds > STILL:
        return f"{what} moves the log-odds by {odds:.2g} nats{_DISTURBED}"
    return f"{what} {'flips no answer' if known else 'changes nothing'}"


def _distinct(arms: pd.DataFrame) -> pd.DataFrame:
    """Leave out what is done to both parts of models that have one, which says everything twice."""
    done = ["action", "source", "strength", "steps", "context"]
    same = ["accuracy", "delta", "delta_low", "delta_high"]
    alike = arms.duplicated([*done, *same], keep=False)
    # Where nothing ever changes all numbers are alike, whatever a model has.
    changed = (arms["delta"] != 0) | (arms["flip"] > 0 if "flip" in arms else False)
    two = arms.groupby(done, dropna=False)["part"].transform("size") == 2
    return arms[~((arms["part"] == "latent") & alike & changed & two)]


def _beside(line: "Line", lines: pd.DataFrame, name: str = "accuracy") -> str:
    """What the controls of an arm do, those apart that differ from it in positions only."""
    text = ""
    beside = lines[(lines["control_of"] == line["intervention"]) & (lines["positions"] == "")]
    for _, control in beside.iterrows():
        number = right(control) if name == "accuracy" else percent(float(control[name]))
        text += f" ({number} when {CONTROLS[str(control['control'])]})"
    return text


def _move(line: "Line", lines: pd.DataFrame) -> str:
    """How far an arm moves the answers of a model that has no accuracy to lose."""
    ways = ways_of(line, lines)
    rules = sorted(ways, key=lambda rule: ways[rule]["flip"])
    least, most = rules[0], rules[-1]
    text = f"{phrase(line)} {estimate(ways[most], 'flip')} of its answers flip"
    text += f" {where([most])}" if most else ""
    if least != most:
        text += f", {percent(float(ways[least]['flip']))} {where([least])}"
    if not ways[most]["flip"] and not pd.isna(ways[most]["log_odds_change"]):
        text = f"{phrase(line)} no answer flips{_odds(ways[most])}"
    return text + _beside(line, lines, "flip")


def _odds(line: "Line") -> str:
    """How far log-odds move where no answer flips."""
    ends = [abs(float(line[f"log_odds_change{end}"])) for end in ("", "_low", "_high")]
    if max(ends) < STILL:
        return " and no log-odds move" if not max(ends) else " and log-odds move by rounding alone"
    return f" (log-odds move by {typeset(float(line['log_odds_change']), 2, sign=True)} nats)"
