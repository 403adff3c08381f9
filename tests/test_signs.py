"""One convention of signs: a signed number is a change, after minus before, wherever it is told.

Each instrument is given made-up lines whose numbers all differ in size, so that each number on the
screen can be found again in its lines: with the sign that it has there. Magnitudes, after "loses"
and "gains", have none, and go with a change of that direction.
"""

import re
from itertools import count

import pandas as pd
import pytest

from latentlab.ablate import findings as ablation
from latentlab.ablate import tables as ablation_tables
from latentlab.attention import tables as attention_tables
from latentlab.calibrate import findings as calibration
from latentlab.console import MINUS
from latentlab.interchange import findings as interchange
from latentlab.lens import findings as lens
from latentlab.mediation import findings as mediation
from latentlab.mediation import tables as mediation_tables
from latentlab.patch import findings as patch
from tests.ablate.lines import MOVES, control, line, removed
from tests.interchange.test_command import line as exchange
from tests.mediation.test_findings import SHAM
from tests.mediation.test_findings import line as effect

NUMBER = re.compile(rf"(?<![\w.+{MINUS}-])([+{MINUS}-]?)(\d[\d,]*(?:\.(\d+))?)(?![\w.]*\w)")
VERB = re.compile(r"(loses|gains) (\d+(?:\.\d+)?) points")
ENDS = ("", "_low", "_high")


def known(frame):
    """Every number of some lines, as it is and in per cent."""
    numeric = frame.select_dtypes("number").to_numpy(float).ravel()
    return [scale * number for number in numeric for scale in (1, 100) if number == number]


def misread(text, frame):
    """Signed numbers of a text that its lines hold with the other sign, or not at all."""
    numbers, wrong = known(frame), []
    for sign, digits, decimals in NUMBER.findall(text):
        if not sign:
            continue
        told = float(digits.replace(",", "")) * (1 if sign == "+" else -1)
        near = 0.51 * 10 ** -len(decimals)
        if sign == "-" or not any(abs(number - told) <= near for number in numbers):
            wrong.append(f"{sign}{digits}")
    for verb, digits in VERB.findall(text):
        size = float(digits) * (1 if verb == "gains" else -1)
        if not any(abs(number - size) <= 0.51 for number in numbers):
            wrong.append(f"{verb} {digits}")
    return wrong


def ends(name, value, width):
    return {name: value, f"{name}_low": value - width, f"{name}_high": value + width}


def of_ablation(sign):
    lines = [
        *removed("drop latent_text", *(spread(sign * at) for at in (-0.513, -0.521, -0.532))),
        *removed("drop latent_vision", spread(sign * -0.017), None, spread(sign * 0.0123)),
        line("other latent_text", spread(sign * -0.307)),
        control("other latent_text", "on uninformative words", spread(sign * -0.0613)),
    ]
    frame = pd.DataFrame([line("none", kind="none"), *lines])
    for name, number in zip(MOVES, (0.0411, sign * -1.37), strict=True):
        frame = frame.assign(**ends(name, number, 0.02))
    return frame, ablation.conclusion, ablation_tables.show_tables


def spread(value):
    return value, value - 0.0171, value + 0.0171


def of_mediation(sign):
    lines = [
        *SHAM,
        effect("mask_needed", hop="between", te=sign * -9.31),
        effect("mask_needed", hop="first", te=sign * -8.47),
        effect("mask_other", te=sign * 0.237),
    ]
    return pd.DataFrame(lines), mediation.conclusion, mediation_tables.show_tables


def of_interchange(sign):
    moved = ends("donor_lift", sign * 0.412, 0.03) | ends("margin_shift", sign * -2.83, 0.21)
    lines = [exchange(**moved, data="d"), exchange(donor="unrelated", **moved, data="d")]
    return pd.DataFrame(lines), interchange.conclusion, interchange.show_tables


def of_patching(sign):
    number, lines = count(1), []
    for query, key, delta in (("answer", "latent", -0.683), ("latent", "image", 0.124)):
        slot = f"{query} -/-> {key}"
        for random in (False, True):
            at = sign * delta * (0.3 if random else 1)
            lines.append(
                {
                    "model": "m",
                    "data": "d",
                    "mode": "attention",
                    "component": "attention",
                    "kind": "control" if random else "knock-out at inference",
                    "slot": f"{slot}: random" if random else slot,
                    "control_of": slot if random else "",
                    "control": "random" if random else "",
                    "query": query,
                    "key": key,
                    "layer": 0,
                    "layers": 4,
                    "head": None,
                    "n": 200,
                    "accuracy": 0.9 + at,
                    "accuracy_low": 0.9 + at - 0.011,
                    "accuracy_high": 0.9 + at + 0.011,
                    "delta_smallest": 0.0431,
                    "p_holm": 0.5,
                    "total_effect_smallest": 0.37,
                    **ends("delta", at, 0.0191),
                    **ends("indirect_effect", sign * (-3.19 - next(number)), 0.23),
                    **ends("total_effect", 15.9, 0.7),
                }
            )
    return pd.DataFrame(lines), patch.conclusion, patch.show_tables


def of_lens(sign):
    head = {"model": "m", "data": "d", "domain": "all", "n": 500, "measure": "attribution"}
    head |= {"layer": None, "step": None, "slot": "", "top1": None, "target": "answer"}
    parts = [
        ("all", None, 8.23),
        ("attn_out", "latent_text", 2.37),
        ("attn_out", "prompt", -0.113),
        ("mlp_out", None, 5.61),
    ]
    lines = [
        {**head, "component": lens.TOTAL if name == "all" else name, "source": source}
        | ends("logit", sign * logit, 0.071)
        for name, source, logit in parts
    ]
    return pd.DataFrame(lines), lens.conclusion, None


def of_attention(sign):
    head = {"model": "m", "mode": "latent", "step": 3, "n": 200, "query": "last", "null": 0.0}
    head |= {"domain": "all", "answered": "all", "layers": "all", "heads": "all"}
    lines = [
        {**head, "against": other, "measure": measure, "keys": keys} | ends("value", value, 0.043)
        for other, shift in (("random picks", 0.0), ("words", 0.31))
        for measure, keys, value in (
            ("ratio", "image/text", sign * (-0.637 - shift)),
            ("focus", "image", sign * (0.171 + shift)),
        )
    ]
    frame = pd.DataFrame(lines)

    def show(lines):
        attention_tables._show_differences("m", "latent", lines)

    return frame, None, show


def of_calibration(sign):
    about = {"instrument": "ablate: mean", "link": "latent -> answer", "part": "latent_text"}
    about |= {"unit": "points lost", "data": "d", "n": 100, "verdict": "separates"}
    lines = [
        {**about, "model": model, "role": role, "training_seed": 0} | ends("value", value, 0.041)
        for model, role, value in (
            ("relay", "positive", 0.91),
            ("bypass", "negative", sign * -0.0131),
            ("ivtlr", "unknown", sign * 0.0617),
            ("ivtlr", "sham", 0.0),
        )
    ]
    return pd.DataFrame(lines), calibration.conclusion, calibration.show_table


INSTRUMENTS = (
    of_ablation,
    of_mediation,
    of_interchange,
    of_patching,
    of_lens,
    of_attention,
    of_calibration,
)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("made", INSTRUMENTS)
def test_every_sign_on_the_screen_is_that_of_its_lines(made, sign, capsys):
    frame, conclusion, show = made(sign)
    texts = list(conclusion(frame)) if conclusion else []
    if show:
        show(frame)
        texts.append(capsys.readouterr().out)
    assert texts
    assert [wrong for text in texts for wrong in misread(text, frame)] == []
    told = "".join(texts)
    assert MINUS in told or made is of_calibration or "loses" in told
    assert "points lost" not in told


def test_a_flipped_sign_is_found():
    frame = pd.DataFrame({"delta": [-0.168]})
    assert misread(f"it changes by {MINUS}16.8 points", frame) == []
    assert misread("it changes by +16.8 points", frame) == ["+16.8"]
    assert misread("it changes by -16.8 points", frame) == ["-16.8"]  # no true minus
    assert misread("it loses 17 points", frame) == []
    assert misread("it gains 17 points", frame) == ["gains 17"]
