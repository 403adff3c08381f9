"""Numbers have a true minus, one sign convention and no more digits than they have."""

import pytest

from latentlab.console import amount, estimate, interval_text, percent, signed, typeset
from latentlab.console.numbers import decimals_of


@pytest.mark.parametrize(
    ("number", "decimals", "sign", "text"),
    [
        (-16.82, 1, False, "−16.8"),
        (16.82, 1, True, "+16.8"),
        (-0.04, 1, True, "0.0"),
        (0.04, 1, True, "0.0"),
        (-0.0, 0, False, "0"),
        (2.5, 2, False, "2.50"),
    ],
)
def test_signs_are_true_and_a_zero_has_none(number, decimals, sign, text):
    assert typeset(number, decimals, sign) == text


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((0.894, 0.864, 0.92), "89 % [86, 92]"),
        ((0.006, 0.002, 0.0176), "0.6 % [0.2, 1.8]"),
        ((0.8, 0.49, 0.943), "80 % [49, 94]"),
        ((1.0, 0.992, 1.0), "100.0 % [99.2, 100.0]"),
    ],
)
def test_a_percentage_is_as_precise_as_its_interval(ends, text):
    assert amount(*ends) == text


def test_other_units_have_the_digits_that_their_interval_leaves_room_for():
    assert amount(-8.224, -9.46, -6.98, "nats", sign=True) == "−8.2 nats [−9.5, −7.0]"
    assert amount(0.0867, -0.279, 0.322, "nats", sign=True) == "+0.1 nats [−0.3, +0.3]"
    assert amount(3.0, 3.0, 3.0, "") == "3.00 [3.00, 3.00]"
    assert decimals_of(0.0, percent=False) == 2


def test_columns_are_told_with_their_interval_and_changes_with_their_sign():
    line = {"delta": 0.168, "delta_low": 0.134, "delta_high": 0.202}
    assert estimate(line, "delta", "points") == "17 points [13, 20]"
    assert signed(line, "delta") == "+17 points [+13, +20]"


def test_a_lone_percentage_has_decimals_near_the_ends_only():
    shares = (0, 0.006, 0.5, 0.894, 0.996, 1)
    assert [percent(share) for share in shares] == [
        "0 %",
        "0.6 %",
        "50 %",
        "89 %",
        "99.6 %",
        "100 %",
    ]


def test_files_have_the_minus_of_keyboards():
    assert interval_text(-0.168, -0.202, -0.134) == "-16.8 [-20.2, -13.4]"
    assert interval_text(3.14159, 2.5, 3.75, percent=False) == "3.14 [2.5, 3.75]"
