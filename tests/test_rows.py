"""Rows stay as they were: small runs of every instrument beside those that were recorded before.

New columns may come. The names of arms are for people and may change; steps are written "1..2"
where they once were "1+2". Everything else is compared: texts and counts exactly, numbers to what
another processor may round differently.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentlab import read_results
from latentlab.commands import start

RECORDED = Path(__file__).parent / "recorded"

CASES = {
    "ablate-replace": "ablate --model ivtlr --limit 2 --reference 6 --noise-seeds 2"
    " --drop latent_text latent"
    " --replace mean noise matched_noise norm_matched off_walk other permute placeholder"
    " --part latent_text latent_vision",
    "ablate-steps": "ablate --model ivtlr coconut --limit 2 --steps 1..4 --drop latent_text"
    " --at each --context remade frozen",
    "ablate-picks": "ablate --model ivtlr --limit 2 --select attention random --k 1..3 --reuse",
    "ablate-evidence": "ablate --model ivtlr relay --limit 3 --mask-evidence",
    "ablate-words": "ablate --model cot --limit 3 --reference 6 --drop rationale"
    " --replace other permute --part rationale",
    "mediation": "mediation --model ivtlr --limit 2 --reference 6"
    " --perturb noise mask_needed relink --hop 2",
    "interchange": "interchange --model ivtlr relay --limit 3 --steps each all",
    "counterfactual": "interchange --model ivtlr --limit 3 --donor counterfactual --steps all",
    "attention": "attention --model ivtlr coconut --explicit cot --limit 2"
    " --vision own random closed",
    "lens": "lens --model ivtlr --limit 2",
    "probe": "probe --model ivtlr --limit 20 --shuffles 2 --layer 1",
    "patch": "patch --model ivtlr --limit 2 --component resid_post z"
    " --knockout answer-latent latent-image --window 2",
    "evaluate": "evaluate --model ivtlr cot --data benchmark:hops=1+4 --limit 3 --no-image",
    "trace": "trace --model ivtlr --data benchmark --limit 2 --reference 20 --tokens 5",
}

NAMES = ("intervention", "control_of")
"""Columns that name arms; of these only which rows are alike is compared."""

FEW = 0.01
"""Share of rows whose text or choice may differ, where a processor rounds a near tie otherwise."""


def plain(column: pd.Series) -> pd.Series:
    """Texts of a column, with steps written as they are today."""
    return column.astype("string").fillna("").replace({"1+2": "1..2", "1+2+3": "1..3"})


def alike(name: str, before: pd.Series, after: pd.Series) -> float:
    """Share of rows in which a column is as it was."""
    first = before.dropna().iloc[0] if before.notna().any() else None
    if name in NAMES:
        return float((pd.factorize(before)[0] == pd.factorize(after)[0]).mean())
    if isinstance(first, (list, np.ndarray)):
        pairs = zip(before, after, strict=True)
        return float(np.mean([_same(one, other) for one, other in pairs]))
    if before.dtype.kind == "f" or str(before.dtype).lower().startswith("float"):
        one, other = (c.to_numpy(float, na_value=np.nan) for c in (before, after))
        return float(np.isclose(one, other, rtol=1e-3, atol=1e-3, equal_nan=True).mean())
    return float((plain(before) == plain(after)).mean())


def _same(one: object, other: object) -> bool:
    if one is None or other is None or np.ndim(one) == 0 or np.ndim(other) == 0:
        return one is other or (pd.isna(one) and pd.isna(other))
    first, second = np.asarray(one), np.asarray(other)
    if first.dtype.kind != "f":
        return first.tolist() == second.tolist()
    return first.shape == second.shape and np.allclose(first, second, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_rows_are_those_that_were_recorded(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name, *flags = CASES[case].split()
    assert start(name, [*flags, "--out", "out"]) == 0
    rows = read_results(Path("out")).rows
    recorded = pd.read_parquet(RECORDED / f"{case}.parquet")
    assert len(rows) == len(recorded)
    assert set(recorded) <= set(rows)
    shares = {c: alike(c, recorded[c], rows[c]) for c in recorded if c != "seconds"}
    assert {c: share for c, share in shares.items() if share < 1 - FEW} == {}


def test_another_number_or_another_name_of_some_rows_would_be_noticed():
    before = pd.Series([0.5, 1.0, 2.0])
    assert alike("kl", before, before + 1e-2) == 0
    assert alike("text", pd.Series(["a", "b"]), pd.Series(["a", "c"])) == 0.5
    assert alike("intervention", pd.Series(["x", "y"]), pd.Series(["u", "v"])) == 1
    assert alike("intervention", pd.Series(["x", "y"]), pd.Series(["u", "u"])) == 0.5
    assert alike("picks", pd.Series([[1, 2]]), pd.Series([[1, 3]])) == 0
