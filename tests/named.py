"""What rows and lines say of an arm, for tests that make them up from its name."""

import re
from typing import Any

from latentlab.study.arms import Arm
from latentlab.vocabulary import FROZEN

ACTED = re.compile(
    r"(?P<action>drop|sham|(?P<source>[a-z_-]+(?: noise)?)(?: (?P<strength>[\d.]+))?) "
    r"(?P<part>latent_text|latent_vision|latent|rationale)(?: at step (?P<steps>[\d., ]+))?"
)
CHANGED = re.compile(
    r"(?:(?P<action>steps|k)=|select (?P<source>[a-z ]+?)(?:, k=|$))(?P<strength>\d+)?"
)


def named(name: str, kind: str = "none", positions: str = "") -> Arm:
    """The arm of a name, which it bears out."""
    base, _, control = name.partition(": ")
    frozen = base.endswith(FROZEN)
    base = base.removesuffix(FROZEN)
    more = {"kind": kind, "control": control, "positions": positions or None}
    more |= {"context": "frozen" if frozen else ""}
    if base == "none":
        arm = Arm(**more)
    elif found := ACTED.fullmatch(base):
        given = found.groupdict()
        action = given["action"] if given["action"] in ("drop", "sham") else "replace"
        arm = Arm(action, given["part"], steps_of(given["steps"]), **_how(given), **more)
    elif found := CHANGED.fullmatch(base):
        given = found.groupdict()
        arm = Arm(given["action"] or "select", **_how(given), **more)
    else:
        arm = Arm("other", label=base, **more)
    assert arm.name == name
    return arm


def steps_of(label: str | None) -> tuple[int, ...] | None:
    """Steps of a label: `2`, `1..3` or `1, 3`."""
    if label is None:
        return None
    first, dots, last = label.partition("..")
    return tuple(range(int(first), int(last) + 1)) if dots else tuple(map(int, label.split(", ")))


def _how(given: dict[str, Any]) -> dict[str, Any]:
    strength = given["strength"]
    return {
        "source": given["source"] or "",
        "strength": None if strength is None else float(strength),
    }
