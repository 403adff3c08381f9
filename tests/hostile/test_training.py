"""Training files with one thing wrong, in YAML that nobody wrote in good faith among them."""

import os
import re

import pytest
import yaml

LEAST = {"name": "mine", "plan": {"steps": 0}, "stages": [{"name": "one", "updates": 2}]}


def with_(**values: object) -> dict[str, object]:
    return {**LEAST, **values}


def stage(**values: object) -> dict[str, object]:
    return {**LEAST, "stages": [{"name": "one", "updates": 2, **values}]}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "\n".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

REFUSED = {
    "a rate of NaN": (stage(learning_rate=float("nan")), "learning_rate is nan"),
    "a rate without end": (stage(learning_rate=float("inf")), "learning_rate is inf"),
    "a negative rate": (stage(learning_rate=-1.0), "learning_rate is -1.0; give a number above 0"),
    "a rate of truth": (stage(learning_rate=True), "learning_rate is true"),
    "a rate of 5,000 digits": ("learning_rate: " + "9" * 5000, "thousands of digits"),
    "a decay of NaN": (stage(decay=float("nan")), "decay is nan"),
    "a negative decay": (with_(weight_decay=-0.1), "weight_decay is -0.1"),
    "a spread of NaN": (
        with_(init={"initializer_range": float("nan")}),
        "initializer_range is nan",
    ),
    "a negative spread": (with_(init={"initializer_range": -1}), "initializer_range is -1"),
    "updates of truth": (stage(updates=True), "updates is true"),
    "updates beyond reason": (stage(updates=10**12), "updates is 1000000000000"),
    "epochs beyond reason": (stage(updates=0, epochs=1e300), "epochs is 1e"),
    "a huge batch": (stage(batch_size=10**9), "1,000,000,000 examples at a time"),
    "a name too long": (with_(name="n" * 300), "cannot name a folder"),
    "a name with a null": (with_(name="a\0b"), "cannot name a folder"),
    "a name that leads out": (with_(name="../x"), "cannot name a folder"),
    "no name": (with_(name=""), "cannot name a folder"),
    "a stage's name too long": (stage(name="n" * 300), "cannot name a folder"),
    "a number for a name": (with_(name=7), "name is 7; give a text"),
    "a date for a name": ("name: 2020-01-01\nstages: []", "date|name"),
    "a seed too large": (with_(seed=2**64), "seed is 18446744073709551616"),
    "a tracker that is not there": (with_(report_to=["abacus"]), "report_to"),
    "a name given twice": ("name: a\nname: b\nstages: []", "'name' is given twice .line 2"),
    "a stage's name given twice": (
        "name: a\nstages:\n- {name: b, name: c, updates: 1}",
        "'name' is given twice .line 3",
    ),
    "misspelt": (with_(sed=1), "line 7: unknown field 'sed'; did you mean 'seed'"),
    "a list": ("- a", "give values by name"),
    "nothing": ("", "give values by name"),
    "an object": ("!!python/object/apply:os.system ['touch sprung']", "cannot be read as YAML"),
    "a set": ("!!set {a, b}", "cannot be read as YAML|used"),
    "an alias of itself": ("&a [*a]", "an alias holds itself"),
    "aliases without end": (BOMB, "unfold to more than"),
    "deep": ("[" * 20_000, "nested too deeply"),
    "deep by lines": ("\n".join(" " * i + "a:" for i in range(3000)), "nested too deeply"),
    "half a character": ('name: "\\ud800"', "half a character|YAML"),
    "two documents": ("a: 1\n---\nb: 2", "cannot be read as YAML"),
    "a tab": ("name:\n\t- a", "cannot be read as YAML"),
    "a model and an init": (with_(init="relay", model={}), "give init or model"),
    "a model of another size": (with_(model={"size": "huge"}), "known: medium, small, tiny"),
    "too long to hold": (with_(max_tokens=0), "max_tokens is 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_in_one_line(outcome, tmp_path, name):
    values, complaint = REFUSED[name]
    text = values if isinstance(values, str) else yaml.safe_dump(values, sort_keys=False)
    (tmp_path / "mine.yaml").write_text(text)
    line, _ = outcome("train", "mine.yaml", "--device", "cpu")
    assert re.search(complaint, line), line
    assert not (tmp_path / "sprung").exists()


def test_a_pipe_is_not_waited_for(outcome, tmp_path):
    os.mkfifo(tmp_path / "mine.yaml")
    assert "no regular file" in outcome("train", "mine.yaml")[0]
