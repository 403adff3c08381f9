"""Runs the checks on a tiny model of every family, and writes what it measured into the page.

    python tools/families.py

The table stands at the end of `docs/families.md`. Differences of the order of 1e-7 are those of
float32 and differ a little from machine to machine.
"""

import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "families.md"
MARK = "<!-- measured -->\n"


def measured() -> pd.DataFrame:
    """One row for each family and check."""
    sys.path.insert(0, str(ROOT))
    from latentlab.check.checks import check
    from tests.tiny.families import TINY

    return pd.concat([check(make()).assign(type=name) for name, make in TINY.items()])


def table_of(rows: pd.DataFrame) -> str:
    """A table of checks by families, in Markdown."""
    families = rows["type"].unique().tolist()
    lines = [["check", "tolerance", *(f"`{family}`" for family in families)]]
    lines.append(["---"] * len(lines[0]))
    for name, of in rows.groupby("check", sort=False):
        found = of.set_index("type")["difference"]
        numbers = [f"{value:.0e}" if value else "0" for value in found[families]]
        lines.append([f"`{name}`", f"{of['tolerance'].iloc[0]:g}", *numbers])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> int:
    """Write the table; 1 where something does not hold."""
    rows = measured()
    page = PAGE.read_text(encoding="utf-8")
    before, mark, _ = page.partition(MARK)
    PAGE.write_text(f"{before}{mark}{table_of(rows)}", encoding="utf-8")
    wrong = rows[rows["verdict"] != "holds"]
    for line in wrong.to_dict("records"):
        print(f"{line['type']}: {line['check']} {line['verdict']} {line['reason']}")
    return int(len(wrong) > 0)


if __name__ == "__main__":
    sys.exit(main())
