"""The commands of docs/own-pictures.md do what the page says, one after another, as they stand."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from latentlab.commands import start

PAGE = Path(__file__).parents[2] / "docs" / "own-pictures.md"
BLOCK = re.compile(r"^```(python|yaml|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FEW = {"4000": "48", "100": "24", "120": "30", "300": "2", "600": "2"}
"""Numbers of the page that only say how long it takes, and what the test puts there."""


@pytest.mark.slow
def test_the_page_goes_from_pictures_to_a_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    ran = []
    for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        for long, short in FEW.items():
            text = re.sub(rf"(?<=[ ,]){long}\b(?=[),\n])", short, text)
        if kind == "python":
            exec(compile(text, str(PAGE), "exec"), names)
        elif kind == "yaml":
            (tmp_path / text.split()[1]).write_text(text)
        else:
            for line in text.splitlines():
                _, _, module, *flags = shlex.split(line)
                name = module.removeprefix("latentlab.")
                if name == "figures":  # runs every study: tests/figures have their own
                    continue
                assert start(name, flags) == 0, capsys.readouterr().err
                ran.append(name)
    assert ran == ["train", "evaluate", "ablate", "trace", "report"]
    lines = pd.read_csv("results/ablate/summary.csv")
    assert set(lines["model"]) == {"pairs"}
    assert {"drop latent_text", "drop latent_text: slots kept, empty"} <= set(lines["intervention"])
    assert Path("results/ablate/necessity.csv").is_file()
    page = Path("report.html").read_text(encoding="utf-8")
    assert 'id="overview-data"' in page and 'id="viewer"' in page
    said = capsys.readouterr()
    assert "does not know" not in said.err  # the embedded model has all of these words
