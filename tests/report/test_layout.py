"""The page in a real browser: read in the dark, on a phone, on paper, and by its addresses."""

import shutil
import subprocess

import pytest

from latentlab.figures.style import INK
from latentlab.report.paint import CARDS

DARK = ("--blink-settings=preferredColorScheme=0",)
COLOURS = """
const style = (selector) => getComputedStyle(document.querySelector(selector));
told.letters = style("#figure-knockouts .f-ink").fill;
told.card = style("#figure-knockouts .drawing").backgroundColor;
told.line = style("#figure-knockouts .s-5a0f2d").stroke;
"""
WORDS = "told.words = document.body.innerText.split(/\\s+/).filter(Boolean).length;"


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"


def test_figures_are_dark_where_the_page_is(browse):
    light, dark = browse(COLOURS), browse(COLOURS, flags=DARK)
    assert light["letters"] != rgb(CARDS["light"]) == light["card"]
    assert light["line"] == rgb("#5a0f2d")
    assert dark["card"] == rgb(CARDS["dark"])
    bright = [int(part) for part in dark["letters"][4:-1].split(",")]
    assert min(bright) > 180 and dark["letters"] != rgb(INK)
    assert dark["line"] not in (light["line"], rgb(CARDS["dark"]))
    assert light["problems"] == dark["problems"] == []


def test_an_address_opens_its_figure_and_is_kept(browse):
    script = """
    const at = document.getElementById("figure-a_figure");
    told.open = at.closest("details").open;
    told.others = document.querySelector("#appendix details:not([open])") !== null;
    told.hash = location.hash;
    told.top = at.getBoundingClientRect().top;
    """
    found = browse(script, "#figure-a_figure")
    assert found["open"] and found["others"]
    assert found["hash"] == "#figure-a_figure"
    assert -5 < found["top"] < 900
    assert found["problems"] == []


def test_what_is_wider_than_its_place_says_so(browse):
    script = """
    const seen = (one) => one.checkVisibility({contentVisibilityAuto: true});
    const wide = [...document.querySelectorAll(".scroll")].filter(seen);
    told.all = wide.length;
    told.hidden = wide.filter((s) => s.scrollWidth > s.clientWidth + 1).length;
    const place = document.querySelector("#figure-knockouts .scroll");
    told.cued = [...document.querySelectorAll(".more")].filter(seen).length;
    told.hint = getComputedStyle(place.nextElementSibling).display;
    told.focus = place.tabIndex;
    place.scrollLeft = place.scrollWidth;
    place.dispatchEvent(new Event("scroll"));
    told.end = place.parentElement.classList.contains("end");
    """
    phone = browse(script, width=500)
    assert phone["hidden"] == phone["cued"] >= 1
    assert phone["hint"] == "block" and phone["focus"] == 0 and phone["end"]
    desk = browse(script)
    assert desk["hidden"] == desk["cued"]


def test_a_print_opens_what_is_folded_and_folds_it_again(browse):
    script = """
    const folds = () => document.querySelectorAll("details:not([open])").length;
    told.before = folds();
    window.dispatchEvent(new Event("beforeprint")); told.during = folds();
    window.dispatchEvent(new Event("afterprint")); told.after = folds();
    """
    found = browse(script)
    assert found["before"] == found["after"] > 0 == found["during"]


def test_paper_has_a_still_answer_and_everything_that_was_folded(browse, world, tmp_path):
    if not shutil.which("pdftotext"):
        pytest.skip("no pdftotext is installed to read a printed page with")
    printed = tmp_path / "page.pdf"
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=1500"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={printed}"]
    subprocess.run([*command, world.report.as_uri()], check=True, capture_output=True, timeout=120)
    text = subprocess.run(
        ["pdftotext", str(printed), "-"], check=True, capture_output=True, text=True
    ).stdout
    assert "One answer of tiny" in text and "Left alone" in text
    assert "only where the chosen intervention" not in text  # the viewer
    assert "Found nothing." in text and "n = 2" in text  # of a folded appendix
    assert "knock-out at inference" in text or "python -m latentlab.trace" in text


def test_the_first_screen_is_no_wall_of_text(browse):
    script = (
        WORDS
        + """
    told.first = document.getElementById("found").innerText.split(/\\s+/).length;
    told.top = document.querySelector("#found h1").getBoundingClientRect().top;
    """
    )
    found = browse(script)
    assert found["first"] < 400
    assert found["words"] < 2000
    assert 0 <= found["top"] < 200
