"""Code on the pages is run as it stands there, and every command line is one that would start."""

import re
import shlex
from pathlib import Path

import pytest
import tyro

import latentlab
from latentlab.backbones import FAMILIES
from latentlab.commands import COMMANDS, start
from latentlab.data import SOURCES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (latentlab/\S+\.py)\n")
LINE = re.compile(r"python -m latentlab\.(\w+)((?: +[^`\n#;)]+)?)")


def blocks(page: Path) -> list[str]:
    return CODE.findall(page.read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda p: p.stem)
def test_code_runs(page, tmp_path, monkeypatch, capsys):
    """Blocks of a page follow each other; one that begins with the name of a file is that file."""
    monkeypatch.chdir(tmp_path)
    for registry in (COMMANDS, SOURCES, FAMILIES):
        for name in list(registry):
            monkeypatch.setitem(registry, name, registry[name])  # what a page adds goes again
    before = {id(registry): set(registry) for registry in (COMMANDS, SOURCES, FAMILIES)}
    monkeypatch.setattr(latentlab, "__path__", [*latentlab.__path__, str(tmp_path / "latentlab")])
    if "results/" in "".join(blocks(page)):
        assert start("ablate", ["--drop", "latent_vision", "--limit", "12"]) == 0
    names: dict[str, object] = {"__name__": "page"}
    try:
        for number, block in enumerate(blocks(page)):
            name = FILE.match(block)
            # Also what is run lies in a file: nnsight reads its own source.
            path = tmp_path / (name[1] if name else f"{page.stem}-{number}.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block)
            if name is None:
                exec(compile(block, str(path), "exec"), names)
    finally:
        for registry in (COMMANDS, SOURCES, FAMILIES):
            for name in set(registry) - before[id(registry)]:
                del registry[name]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.slow
def test_the_instrument_of_the_page_leaves_results_and_refuses_in_one_line(
    tmp_path, monkeypatch, capsys
):
    page = ROOT / "docs" / "extending.md"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(latentlab, "__path__", [*latentlab.__path__, str(tmp_path / "latentlab")])
    for block in blocks(page):
        if name := FILE.match(block):
            path = tmp_path / name[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block)
    monkeypatch.setitem(COMMANDS, "norms", type(COMMANDS["lens"])("norms", "NormsConfig"))
    assert start("norms", ["--model", "filler", "cot", "--limit", "6"]) == 0
    streams = capsys.readouterr()
    assert "cot appends no latent text" in streams.err
    results = latentlab.read_results(Path("results/norms"))
    assert results.rows["norm"].nunique() == 1  # the slots of filler hold a constant
    assert len(results.rows) == 6 * 3
    assert start("norms", ["--power", "0.5", "--out", "other"]) == 2
    assert capsys.readouterr().err.startswith("error: --power 0.5 is too small")
    assert not Path("other").exists()


def command_lines() -> list[tuple[str, str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        found += [(page.name, name, flags.strip()) for name, flags in LINE.findall(text)]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(("page", "name", "flags"), command_lines())
def test_command_lines_would_start(page, name, flags):
    """Every command on a page is there, and its flags are understood."""
    if name == "norms":  # the instrument that docs/extending.md builds
        return
    words = shlex.split(flags)
    if not words or words == ["--help"] or name == "NAME":
        return  # a mention, or a placeholder
    tyro.cli(
        COMMANDS[name].config,
        args=words,
        config=(tyro.conf.DisallowNone, tyro.conf.FlagCreatePairsOff),
    )
