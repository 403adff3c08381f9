"""The overview in a real browser: it counts, sorts and opens what the rows hold, runs nothing."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from latentlab.report.config import ReportConfig
from latentlab.report.run import main
from latentlab.study.results import ROWS

HERE = Path(__file__).parent
VISIT = (HERE / "overview.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(own, world, tmp_path_factory):
    """A page with overview and viewer."""
    folder = tmp_path_factory.mktemp("overview")
    shutil.copytree(own, folder / "results")
    shutil.copytree(world.config.results / "traces", folder / "results" / "traces")
    out = folder / "report.html"
    main(ReportConfig(model=("tiny",), results=folder / "results", out=out))
    return out


@pytest.fixture(scope="module")
def told(browse, report):
    return browse(VISIT, report=report)


@pytest.fixture(scope="module")
def alone(own):
    rows = pd.read_parquet(own / "evaluate" / ROWS)
    return rows[rows["intervention"] == "none"]


def test_nothing_is_complained_of_and_nothing_foreign_runs(told):
    assert told["problems"] == [] and told["logged"] == [] and told["fetched"] == []
    assert told["hacked"] is None
    assert told["elements"] == 0 and told["inside"] == 0
    assert "<script>document.body" in told["first"] and "onerror" in told["asked"]
    assert not told["hidden"]


def test_columns_are_models_and_interventions_with_their_totals(told, alone):
    assert told["labels"][:3] == ["Question", "Domain", "Right answer"]
    assert told["labels"][3:5] == ["left alone", "without its latent text"]
    assert len(told["cells"]) == len(alone)
    accuracy = f"{100 * alone['correct'].mean():.1f} %"
    assert accuracy in told["heads"][0] and f"of {len(alone)} right" in told["heads"][0]
    assert "points" in told["heads"][1] and "answers changed" in told["heads"][1]
    marks = {True: "✓", False: "✗"}
    for cell, (_, row) in zip(told["cells"], alone.iterrows(), strict=True):
        assert cell.startswith("–" if pd.isna(row["choice"]) else marks[row["correct"]])


def test_filters_count_as_the_rows_do(told, alone, own):
    n = len(alone)
    number, in_domain = 1, int((alone["domain"] == "d1").sum())
    assert told["counts"]["search number7."] == [number, f"{number} of {n} questions"]
    assert told["counts"]["domain d1"] == [in_domain, f"{in_domain} of {n} questions"]
    assert told["counts"]["outcome right"][0] == alone["correct"].sum()
    assert told["counts"]["outcome unread"][0] == alone["choice"].isna().sum()
    rows = pd.read_parquet(own / "ablate" / ROWS).set_index("example")
    dropped = rows[rows["intervention"] == "drop latent_text"]["choice"].fillna(-1)
    before = rows[rows["intervention"] == "none"]["choice"].fillna(-1)
    assert told["counts"]["outcome changed"][0] == int((dropped != before).sum()) > 0
    assert "No question passes" in told["empty"]


def test_heads_sort_wrong_first_then_right_then_not_at_all(told):
    order = ["✗–✓".index(cell[0]) for cell in told["sorted"]]
    assert order == sorted(order) and len(set(order)) == 3
    back = ["✗–✓".index(cell[0]) for cell in told["back"]]
    assert back == sorted(order, reverse=True)
    assert told["way"].startswith("left alone")
    assert told["undone"] == told["first"]


def test_the_keyboard_walks_and_opens(told):
    assert told["stops"] == 1
    assert told["focused"] == 1 and told["end"] == len(told["cells"]) - 1
    assert told["open"] and told["asked"] == told["first"]
    assert told["next"][0] != told["asked"] and told["next"][1].startswith("2 of ")
    assert told["named"] == []


def test_a_question_opens_with_all_that_is_known(told, alone, own):
    first = alone.iloc[0]
    assert [float(x.replace("−", "-")) for x in told["numbers"]] == pytest.approx(
        list(first["option_logprobs"]), abs=0.0051
    )
    assert told["gold"].endswith("(right)")
    assert told["lines"] == told["boxes"] or told["lines"] == told["boxes"] - 1
    assert told["more"] == 1
    assert told["link"].startswith("#model=tiny&example=")


def test_a_link_leads_to_the_viewer(browse, report):
    script = """
    document.querySelectorAll(".ov-ask")[3].click();
    const link = document.querySelector("#ov-answers a");
    told.example = new URLSearchParams(link.getAttribute("href").slice(1)).get("example");
    link.click();
    told.open = document.getElementById("ov-dialog").open;
    window.dispatchEvent(new HashChangeEvent("hashchange"));
    told.current = document.querySelector("#list [aria-current]").dataset.example;
    """
    found = browse(script, report=report)
    assert not found["open"] and found["current"] == found["example"]
    assert found["problems"] == []


@pytest.mark.parametrize("width", [500, 1280])
def test_nothing_sticks_out(browse, report, width):
    wide = "told.wide = document.documentElement.scrollWidth - innerWidth;"
    assert browse(wide, width=width, report=report)["wide"] <= 0
