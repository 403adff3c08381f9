"""The indexes of a folder name what is there, in the order of the page."""

import json

from latentlab.figures.config import EXPERIMENTS, ORDER
from latentlab.figures.experiment import find_experiments
from latentlab.figures.index import Entry, read, update

FIGURE = Entry("knockouts", "Title of it.", "main", "figure", 6.75)
TABLE = Entry("seeds", "Other title.", "appendix", "table", 3.25)


def test_what_is_there_is_listed_and_what_is_gone_is_not(tmp_path):
    for name in ("knockouts", "seeds"):
        (tmp_path / f"{name}.txt").write_text("It is found.\n\nIt is drawn.\n")
    (tmp_path / "seeds.md").write_text("| x |\n")
    update([TABLE], tmp_path)
    update([FIGURE], tmp_path)
    assert read(tmp_path) == [FIGURE, TABLE]
    assert json.loads((tmp_path / "index.json").read_text())[0] == {
        "name": "knockouts",
        "title": "Title of it.",
        "part": "main",
        "kind": "figure",
        "width_in": 6.75,
    }
    text = (tmp_path / "README.md").read_text()
    assert "# Main set\n\n## knockouts\n\nTitle of it.\n\n![Title of it.](knockouts.png)" in text
    assert "# Appendix\n\n## seeds\n\nOther title.\n\n| x |\n\nIt is found.\n\nIt is drawn." in text
    (tmp_path / "knockouts.txt").unlink()
    update([], tmp_path)
    assert read(tmp_path) == [TABLE]


def test_a_folder_without_a_list_holds_nothing(tmp_path):
    assert read(tmp_path) == []


def test_every_experiment_has_its_place_on_the_page():
    names = {made.name for made in find_experiments(EXPERIMENTS)}
    assert names <= set(ORDER)
    assert len(set(ORDER)) == len(ORDER)
    assert {made.part for made in find_experiments(EXPERIMENTS)} <= {"main", "appendix"}
