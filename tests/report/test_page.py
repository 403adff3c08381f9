"""The page as text: what is foreign is escaped, what is ours is let in, nothing is fetched."""

import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from latentlab.report.page import json_block, policy, render, typeset
from latentlab.report.run import all_studies
from latentlab.report.runs import ORDER, question


def attributes(page: str) -> set[str]:
    """Names of all attributes of a page."""
    names: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda _, found: names.update(name for name, _ in found)
    parser.handle_startendtag = parser.handle_starttag
    parser.feed(page)
    return names


EVIL = "</script><!-- <script> \u2028 & ]]> \"'"


@pytest.fixture(scope="module")
def text(world):
    return world.report.read_text(encoding="utf-8")


def test_json_cannot_leave_its_block_and_reads_back():
    values = {"question": EVIL, "numbers": [1, 0.5, None], "words": "naïve ✓"}
    block = json_block(values)
    assert not set("<>&\u2028\u2029") & set(block)
    shown = EVIL.replace("\u2028", r"\u2028")  # a line break that acts is shown as such
    assert json.loads(block) == values | {"question": shown}
    with pytest.raises(ValueError):
        json_block([float("nan")])


def test_style_and_script_are_exactly_what_the_policy_lets_in(text):
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1 and text.count("<style") == 1
    written = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert unescape(written) == policy(style, scripts[0])
    assert "default-src 'none'" in policy(style, scripts[0])
    assert "unsafe" not in policy(style, scripts[0])
    # Styles and handlers in attributes would be refused by it.
    names = attributes(text)
    assert "aria-label" in names
    assert not [name for name in names if name == "style" or name.startswith("on")]


def test_nothing_is_fetched(text):
    sources = re.findall(r"""(?:src|href|action|srcset)=["']([^"']*)""", text)
    assert sources and all(source.startswith(("data:", "#")) for source in sources)
    assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttp|WebSocket|import\(", text)


def test_what_comes_from_data_never_becomes_an_element(text):
    blocks = re.findall(r"<script[^>]*>", text)
    # Ours, and blocks of data, which are never run.
    assert [block for block in blocks if "application/json" not in block] == ["<script>"]
    assert "<img src=x" not in text
    # The title and caption of a figure and the cell of a table hold it too, as text.
    assert text.count("&lt;img src=x") >= 3


def test_the_page_is_small_and_tells_its_parts(text, world):
    assert len(text.encode()) < 4_000_000
    for part in ("found", "matter", "answers", "still", "appendix", "runs", "missing"):
        assert f'id="{part}"' in text
    assert '<td class="n">1.0 [0.5, 2.0]</td>' in text and '<th scope="row">a | b</th>' in text
    assert "python -m latentlab.ablate" in text  # how to make what is missing


def test_every_section_and_figure_has_an_address_of_its_own(text):
    ids = re.findall(r'\sid="([^"]+)"', text.split("<script")[0])
    assert [name for name in set(ids) if ids.count(name) > 1] == []
    for name in ("knockouts", "a_figure", "a_table"):
        assert f"figure-{name}" in ids
    led = re.findall(r'href="#([^"]+)"', re.sub(r"<use[^>]*>", "", text))
    assert set(led) <= set(ids)


def test_main_figures_stand_with_their_question_and_the_rest_in_the_appendix(text):
    matter = text[text.index('id="matter"') : text.index('id="appendix"')]
    assert 'id="figure-knockouts"' in matter and "a_figure" not in matter
    finding = matter[matter.index('class="finding"') :]
    assert finding.index("Found &lt;script") < finding.index("<svg") < finding.index("Two panels")


def test_a_page_without_results_says_how_to_make_them():
    page = render([], [], None, "", [("traces", "python -m latentlab.trace --out x")])
    assert "python -m latentlab.trace --out x" in page
    assert 'id="answers"' not in page and 'id="runs"' not in page


def test_models_stand_out_and_intervals_step_back():
    models = ["cot", "cot_vision", "<b>"]
    assert typeset("cot_vision answers", models) == "<b>cot_vision</b> answers"
    assert typeset("Shams <i>", models) == "Shams &lt;i&gt;"
    assert typeset("<b> & more", models) == "<b>&lt;b&gt;</b> &amp; more"
    told = typeset("cot loses 1.0 [-0.5, 2.0] <[>", models)
    assert told == '<b>cot</b> loses 1.0 <span class="interval">[-0.5, 2.0]</span> &lt;[&gt;'


def test_every_study_has_a_question_and_a_place():
    assert {study.command for study in all_studies()} <= set(ORDER)
    questions = [question(command) for command in ORDER]
    assert len(set(questions)) == len(ORDER)
    assert all(text.endswith("?") for text in questions)
