"""Flags that nobody can mean: numbers beyond reason, names that are none, what contradicts."""

import re

import pytest

from latentlab.__main__ import main
from latentlab.commands import start

BIG = "18446744073709551616"

REFUSED = {
    ("evaluate", "--seed", BIG): "--seed",
    ("evaluate", "--seed", "9" * 5000): "--seed|usage",
    ("evaluate", "--seed", "-1"): "--seed -1 is too small",
    ("evaluate", "--limit", "0"): "--limit 0 is too small",
    ("evaluate", "--batch-size", "0"): "--batch-size 0 is too small",
    ("evaluate", "--device", "meta"): "--device meta",
    ("evaluate", "--device", "gpu"): "--device gpu",
    ("evaluate", "--device", "cuda:99"): "--device cuda:99",
    ("evaluate", "--model", "m" * 300): "no model or folder is called",
    ("evaluate", "--model", "a/" * 200): "no model or folder is called",
    ("evaluate", "--model", "a\0b"): "no model or folder",
    ("evaluate", "--model", ""): "no model or folder",
    ("evaluate", "--model", "./relay"): "is called .*relay.; did you mean .relay",
    ("evaluate", "--model", "../relay"): "no model or folder",
    ("evaluate", "--model", "../zoo/relay"): "no model or folder|no folder",
    ("evaluate", "--model", "/relay"): "no model or folder",
    ("evaluate", "--model", "relay/"): "no model or folder|no folder",
    ("evaluate", "--model", "relay/."): "no model or folder|no folder|hub",
    ("evaluate", "--data", f"benchmark:size={'9' * 20}"): "size",
    ("evaluate", "--data", f"benchmark:size={'9' * 5000}"): "size",
    ("evaluate", "--data", f"benchmark:hops={'9' * 5000}"): "hops",
    ("evaluate", "--data", "benchmark:hops=1,hops=2"): "hops is given twice",
    ("evaluate", "--data", "benchmark:hops=1,hops =2"): "hops is given twice",
    ("evaluate", "--data", "benchmark:hops=1+2,hop_weights=nan+1"): "weight",
    ("evaluate", "--data", "benchmark:hops=1+2,hop_weights=inf+1"): "weight",
    ("evaluate", "--data", "benchmark:hops=1+2,hop_weights=1e400+1"): "weight",
    ("evaluate", "--data", "benchmark:domain=digits+digits,domain_weights=nan+1"): "weight|twice",
    ("evaluate", "--data", "benchmark:size=1_0"): "not made of numbers",
    ("evaluate", "--data", "benchmark:size=-0"): "size",
    ("evaluate", "--data", "benchmark:hops="): "option=value",
    ("evaluate", "--data", "x" * 5000): "data: no source or folder",
    ("evaluate", "--data", "a\0b"): "data: no source or folder",
    ("evaluate", "--data", ""): "data: no source or folder",
    (
        "evaluate",
        "--data",
        "m3cot:root=" + "x" * 300,
    ): "m3cot has root",
    ("evaluate", "--plan", f"k={'9' * 5000}"): "k is",
    ("evaluate", "--plan", "steps=1,steps=2"): "named twice",
    ("evaluate", "--plan", f"steps={BIG}"): "steps",
    ("evaluate", "--plan", "steps=100000"): "steps",
    ("evaluate", "--plan", "k=9999999"): "patches|k",
    ("evaluate", "--plan", "steps=1,k=1,stride=99999999999"): "stride",
    ("evaluate", "--plan", "steps=1,k=1,select_layers=0+0"): "twice",
    ("evaluate", "--plan", "k=true"): "k is true",
    ("evaluate", "--plan", "text=null"): "text is null",
    ("evaluate", "--plan", "k=NaN"): "k is",
    ("evaluate", "--plan", "k=[1"): "k is",
    ("evaluate", "--plan", "/dev/zero"): "no regular file",
    ("evaluate", "--plan", "."): "it is a folder",
    ("evaluate", "--plan", "p" * 300): "cannot be read",
    ("evaluate", "--plan", "a\0b"): "cannot be read",
    ("ablate", "--steps", "0..100000"): "--steps",
    ("ablate", "--k", "0..9999999"): "--k",
    ("attention", "--data", "nothing"): "no source or folder",
    ("evaluate", "--processes", "100000"): "--processes",
    ("evaluate", "--max-new-tokens", "0"): "max-new-tokens",
    ("evaluate", "--max-new-tokens", BIG): "max-new-tokens",
    ("ablate", "--replace", "noise", "--sigma", "nan"): "--sigma",
    ("ablate", "--replace", "noise", "--sigma", "inf"): "--sigma",
    ("ablate", "--replace", "noise", "--sigma", "-1"): "sigma",
    ("ablate", "--replace", "noise", "--noise-seeds", "1000000000"): "noise-seeds",
    ("ablate", "--drop", "latent_text", "--at", "99999"): "at",
    ("ablate", "--reference", BIG): "reference",
    ("ablate", "--steps", "3..1"): "--steps 3..1",
    ("ablate", "--steps", "9" * 400): "--steps",
    ("ablate", "--k", "1,,2"): "--k",
    ("mediation", "--strength", "nan"): "--strength",
    ("mediation", "--strength", "-1"): "strength",
    ("mediation", "--hop", "99"): "hop",
    ("interchange", "--hop", "-1"): "hop",
    ("probe", "--limit", "20", "--layer", "99999"): "layer",
    ("probe", "--limit", "20", "--shuffles", "1000000000"): "shuffles",
    ("probe", "--limit", "20", "--shuffles", "-1"): "shuffles",
    ("patch", "--window", "-1"): "window",
    ("patch", "--window", BIG): "window",
    ("attention", "--top", "0"): "top",
    ("attention", "--top", BIG): "top",
    ("trace", "--tokens", "-1"): "tokens",
    ("organisms", "--threads", "-1"): "--threads",
    ("organisms", "--threads", "0"): "--threads",
    ("organisms", "relay", "relay"): "twice",
    ("organisms", "relay", "--seed", BIG): "seed",
    ("train", "x.yaml", "--threads", "-1"): "--threads",
    ("train", "none.yaml"): "no training configuration",
    ("train", "."): "cannot be read: it is a folder",
}


@pytest.mark.parametrize("flags", REFUSED, ids=lambda flags: " ".join(flags)[:50])
def test_is_refused_in_one_line(outcome, flags):
    command, *rest = flags
    small = (
        ()
        if command in ("train", "organisms")
        else ("--limit", "2")
        if "--limit" not in rest
        else ()
    )
    device = () if "--device" in rest or command == "organisms" else ("--device", "cpu")
    line, _ = outcome(command, *rest, *small, *device)
    assert re.search(REFUSED[flags], line), line


ACCEPTED = [
    ("evaluate", "--seed", str(2**63 - 1)),
    ("evaluate", "--data", f"benchmark:seed={BIG}"),
    ("evaluate", "--batch-size", "1000000"),
    ("evaluate", "--data", "benchmark:size=1000000"),
    ("evaluate", "--data", "benchmark:hops=1+2,hop_weights=1e-9+1"),
    ("evaluate", "--plan", "steps=0,k=0"),
]


@pytest.mark.parametrize("flags", ACCEPTED, ids=str)
def test_is_right(outcome, flags):
    line, _ = outcome(*flags, "--limit", "2", "--device", "cpu")
    assert not line


TWICE = {
    ("evaluate", "--seed", "1", "--seed", "2"): "--seed is given 2 times",
    ("evaluate", "--seed=1", "--seed", "2"): "--seed is given 2 times",
    ("evaluate", "--batch-size", "1", "--batch_size", "2"): "--batch-size is given 2 times",
    ("evaluate", "--model", "relay", "--model", "gaze"): "--model is given 2 times",
}


@pytest.mark.parametrize("flags", TWICE, ids=lambda flags: " ".join(flags)[:50])
def test_a_flag_that_is_given_twice_is_refused(monkeypatch, capsys, flags):
    name, *rest = flags
    monkeypatch.setattr("sys.argv", ["latentlab", *rest])
    for begin in (lambda: start(name), lambda: start(name, rest), lambda: main(flags)):
        assert begin() == 2
        assert TWICE[flags] in capsys.readouterr().err
