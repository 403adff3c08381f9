"""A drawing becomes a part of the page: only shapes are let through, and it follows the dark."""

import re

import pytest

from latentlab.errors import UserError
from latentlab.figures.style import DARK_LETTERS, GRID, INK
from latentlab.report.gallery import read_gallery
from latentlab.report.inline import inline_svg
from latentlab.report.paint import CARDS, LEAST, contrast, dark_rules, lightened, model_rules

HOSTILE = f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 width="72pt" height="36pt" viewBox="0 0 72 36" onload="alert(1)">
<metadata>when and by whom</metadata><script>alert(2)</script>
<style>* {{ color: red }}</style><foreignObject><body/></foreignObject>
<defs><path id="a" d="M 1.23456 2 L 3 4" style="stroke: {INK}; stroke-width: 0.8; behaviour: x"/>
<clipPath id="c"><rect width="1" height="1"/></clipPath></defs>
<g clip-path="url(#c)" onclick="alert(3)"><use xlink:href="#a" x="5" style="fill: #0000aa"/></g>
<use xlink:href="https://example.org/a.svg#a"/><image xlink:href="data:text/html,x"/>
<image xlink:href="data:image/png;base64,AA"/><path style="fill: {GRID}; stroke: {DARK_LETTERS}"/>
<path style="fill: {DARK_LETTERS}"/>
</svg>"""


@pytest.fixture
def drawn(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text(HOSTILE, encoding="utf-8")
    return str(inline_svg(path, "fig-", 'A "title" <b>'))


def test_only_shapes_are_let_through(drawn):
    tags = set(re.findall(r"<(\w+)", drawn))
    assert tags == {"svg", "defs", "path", "clipPath", "rect", "g", "use", "image"}
    assert not re.search(r"alert|onload|onclick|style=|behaviour|example\.org|text/html", drawn)
    assert "data:image/png;base64,AA" in drawn
    assert 'aria-label="A &quot;title&quot; &lt;b&gt;"' in drawn


def test_names_are_of_their_figure_and_still_meet(drawn):
    assert 'id="fig-a"' in drawn and 'href="#fig-a"' in drawn
    assert 'id="fig-c"' in drawn and "url(#fig-c)" in drawn
    assert 'd="M 1.23 2 L 3 4"' in drawn


def test_neutral_colours_are_left_to_the_page_and_data_keep_theirs(drawn):
    assert 's-ink"' in drawn and 'class="f-grid' in drawn
    assert 'fill="#0000aa"' in drawn and "f-0000aa" in drawn
    rules = dark_rules([drawn])
    lighter = re.search(r"\.f-0000aa\{fill:(#[0-9a-f]{6})\}", rules)[1]
    assert contrast(lighter, CARDS["dark"]) >= LEAST > contrast("#0000aa", CARDS["dark"])
    # Letters on a coloured cell are not on the ground.
    assert DARK_LETTERS[1:] not in rules
    assert lightened("#ffffff") == "#ffffff"


def test_every_model_has_a_colour_that_can_be_seen_in_the_dark():
    rules = model_rules(["mine: <b>"])
    light, dark = rules.split("@media")
    assert "--model-relay:" in light and "--model-mine---b-:" in light
    found = re.findall(r"--model-[\w-]+:(#[0-9a-f]{6})", dark)
    assert found and all(contrast(colour, CARDS["dark"]) >= LEAST for colour in found)


def test_the_gallery_has_the_order_and_the_parts_of_its_list(figures):
    gallery = read_gallery(figures)
    assert [one.name for one in gallery] == ["knockouts", "a_figure", "a_table"]
    assert [one.part for one in gallery] == ["main", "appendix", "appendix"]
    assert gallery[0].finding.startswith("Found ") and gallery[0].caption.startswith("Two panels")
    assert gallery[0].drawing and not gallery[0].picture
    assert [len(grid.rows) for grid in gallery[2].grids] == [2, 1]


def test_without_a_list_everything_in_the_folder_is_shown(figures, tmp_path):
    for path in figures.iterdir():
        if path.name not in ("index.json", "README.md", "a_figure.svg"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    gallery = {one.name: one for one in read_gallery(tmp_path)}
    assert set(gallery) == {"knockouts", "a_figure", "a_table"}
    assert gallery["a_figure"].picture.startswith("data:image/png")
    (tmp_path / "index.json").write_text("[{}]")
    with pytest.raises(UserError, match=r"is damaged: run python -m latentlab\.figures"):
        read_gallery(tmp_path)
    assert read_gallery(tmp_path / "nowhere") == []
