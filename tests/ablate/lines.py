"""Lines of a summary, made up from the names of arms."""

from latentlab.vocabulary import CONTROL, KNOCK_OUT, POSITION_ARMS
from tests.named import named

HARM, GAIN = (-0.5, -0.55, -0.45), (0.1, 0.08, 0.12)
NOTHING, UNCERTAIN = (-0.004, -0.022, 0.014), (-0.02, -0.08, 0.04)
MOVES = ("flip", "log_odds_change")


def line(
    arm,
    delta=(0.0, 0.0, 0.0),
    kind=KNOCK_OUT,
    accuracy=0.952,
    positions="",
    **changes,
):
    accuracy = accuracy + delta[0]
    done = named(arm, "none" if arm == "none" else kind, positions)
    values = {
        "model": "relay",
        "data": "benchmark",
        **done.facts,
        "domain": "all",
        "topic": "all",
        "n": 500,
        "accuracy": accuracy,
        "accuracy_low": accuracy - 0.02,
        "accuracy_high": accuracy + 0.02,
        "delta": delta[0],
        "delta_low": delta[1],
        "delta_high": delta[2],
        "p_holm": 0.5,
    }
    return {**values, **changes}


def control(arm, what, delta):
    return line(f"{arm}: {what}", delta, CONTROL)


def removed(arm, held=None, closed=None, kept=None, **changes):
    """The lines of one removal; a rule of positions without a difference was not run."""
    ways = {"held": held, "closed": closed, "kept": kept}
    deltas = {rule: delta for rule, delta in ways.items() if delta is not None}
    first = next(iter(deltas))
    lines = []
    for rule, delta in deltas.items():
        name = arm if rule == first else f"{arm}: {POSITION_ARMS[rule]}"
        kind = CONTROL if rule == "kept" else KNOCK_OUT
        lines.append(line(name, delta, kind, positions=rule, **changes))
    return lines


def moved(arm, flip, odds, kind=KNOCK_OUT, **changes):
    values = {
        f"{name}{end}": x
        for name, x in zip(MOVES, (flip, odds), strict=True)
        for end in ("", "_low", "_high")
    }
    return line(arm, kind=kind, accuracy=0.24, **values, **changes)
