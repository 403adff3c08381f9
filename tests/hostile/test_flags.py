"""Flags that nobody can mean: numbers beyond reason, names that are none, what contradicts."""

import re

import pytest

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
    ("evaluate", "--data", "m3cot:root=" + "x" * 300): "no folder|does not exist|cannot|no source",
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
