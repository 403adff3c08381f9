"""Numbers of tables: decimals, signs and intervals."""

import pandas as pd
import pytest

from latentlab.console import MISSING, typeset
from latentlab.figures.cells import printed, with_interval

LINES = pd.DataFrame(
    {
        "model": ["a", "b", "c"],
        "accuracy": [0.5, 1.0, 0.25],
        "accuracy_low": [0.25, 0.9, None],
        "accuracy_high": [0.75, 1.0, None],
        "delta": [-0.021, 0.0004, 0.1],
        "nats": [-1.2345, float("nan"), 12.0],
        "p_holm": [0.0004, 0.0123, 1.0],
        "updates": pd.array([2100, None, 7], "Int64"),
    }
)


def test_printed_cells_by_hand():
    columns = {name: name for name in ("model", "accuracy", "delta", "nats", "p_holm", "updates")}
    cells = printed(LINES, columns, ("accuracy", "delta"), ("delta",))
    assert cells["model"].tolist() == ["a", "b", "c"]
    assert cells["accuracy"].tolist() == ["50.0 [25.0, 75.0]", "100.0 [90.0, 100.0]", "25.0"]
    assert cells["delta"].tolist() == ["−2.1", "0.0", "+10.0"]
    assert cells["nats"].tolist() == ["−1.23", MISSING, "12.00"]
    assert cells["p_holm"].tolist() == ["<0.001", "0.012", "1.000"]
    assert cells["updates"].tolist() == ["2100", MISSING, "7"]


def test_printed_takes_headings_order_and_decimals_from_its_arguments():
    cells = printed(LINES, {"accuracy": "right", "model": "who"}, decimals={"accuracy": 3})
    assert cells.columns.tolist() == ["right", "who"]
    assert cells["right"].iloc[0] == "0.500 [0.250, 0.750]"
    assert printed(LINES, {"accuracy": "x"}, ("accuracy",), bare=("accuracy",))["x"][0] == "50.0"
    with pytest.raises(KeyError):
        printed(LINES, {"nobody": "x"})


def test_a_change_carries_its_sign_and_nothing_is_minus_zero():
    assert typeset(-0.04) == "0.0"
    assert typeset(-0.06) == "−0.1"
    assert typeset(0.06, sign=True) == "+0.1"
    assert typeset(0.0, sign=True) == "0.0"
    assert with_interval(-86.84, -88.8, 1.0, signed=True) == "−86.8 [−88.8, +1.0]"
    assert with_interval(1.0, float("nan"), 2.0) == "1.0"
