"""What tables and figures are on disk: the files that belong together, the same each time."""

import re

import pandas as pd
from matplotlib import pyplot as plt
from PIL import Image

from latentlab.figures.artifacts import Drawing, Table, caption, write
from latentlab.figures.style import INK, PAGE, PAPER, canvas, model_style

NUMBERS = pd.DataFrame({"model": ["a", "b", "c"], "accuracy": [0.5, 1.0, 0.25]})
CAPTION = caption("It is 50 %.", "Drawn are three.")


def table() -> Table:
    return Table(NUMBERS.astype(str), NUMBERS, CAPTION)


def drawing() -> Drawing:
    figure, (axis,) = canvas("double")
    colour, mark = model_style("relay")
    axis.plot(NUMBERS["accuracy"], color=colour, marker=mark, markerfacecolor=PAPER)
    axis.set_xlabel("steps")
    return Drawing(figure, NUMBERS, CAPTION)


def test_a_table_is_markdown_latex_numbers_and_caption(tmp_path):
    files = write(table(), "some", tmp_path / "new")
    assert {file.name for file in files} == {"some.md", "some.tex", "some.csv", "some.txt"}
    assert {path.name for path in (tmp_path / "new").iterdir()} == {file.name for file in files}
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "new" / "some.csv"), NUMBERS)
    assert (tmp_path / "new" / "some.txt").read_text() == "It is 50 %.\n\nDrawn are three.\n"
    assert r"\caption{It is 50 \%. Drawn are three.}" in (tmp_path / "new" / "some.tex").read_text()


def test_a_figure_is_pictures_numbers_and_caption_and_the_same_each_time(tmp_path):
    first = write(drawing(), "fig", tmp_path / "one")
    again = write(drawing(), "fig", tmp_path / "two")
    names = {"fig.pdf", "fig.png", "fig.svg", "fig.csv", "fig.txt"}
    assert {file.name for file in first} == names
    for one, two in zip(first, again, strict=True):
        assert one.read_bytes() == two.read_bytes()
    assert not plt.get_fignums()


def test_pictures_have_their_width_true_letters_and_a_palette(tmp_path):
    made = drawing()
    assert made.width == PAGE
    write(made, "fig", tmp_path)
    pdf = (tmp_path / "fig.pdf").read_bytes()
    assert b"/CIDFontType2" in pdf or b"/TrueType" in pdf
    assert b"/Type3" not in pdf
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", pdf)
    assert box is not None and abs(float(box[1]) / 72 - PAGE) < 0.01
    with Image.open(tmp_path / "fig.png") as image:
        assert image.mode == "P"
        assert abs(image.width / image.info["dpi"][0] - PAGE) < 0.02


def test_an_svg_has_no_ground_and_names_its_neutral_colours(tmp_path):
    write(drawing(), "fig", tmp_path)
    svg = (tmp_path / "fig.svg").read_text()
    assert "<text" not in svg
    assert "dc:date" not in svg
    colours = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg))
    assert colours == {INK, PAPER, model_style("relay")[0]}
    assert "opacity: 0" in svg or "fill: none" in svg
