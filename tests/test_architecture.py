"""The house is what its page says: no circle, no import that goes up or sideways."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def house():
    spec = importlib.util.spec_from_file_location("house", ROOT / "tools" / "house.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_circle_and_no_import_of_the_same_floor_or_a_higher_one(house):
    assert house.broken() == []


def test_the_drawing_is_of_the_house_as_it_stands(house):
    drawn = house.draw(house.floors(), house.room_graph())
    assert house.DRAWING.read_text(encoding="utf-8") == drawn, "run: python tools/house.py"


def test_circles_and_upward_imports_would_be_found(house, monkeypatch):
    assert house.circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    monkeypatch.setattr(house, "floors", lambda: house_order[::-1])
    house_order = [["errors"], ["data"]]
    assert any("has no floor" in line for line in house.broken())
    assert "data imports errors, which lies above it" in house.broken()


def test_every_command_is_a_package_of_the_same_parts():
    from latentlab.commands import COMMANDS

    for name, command in COMMANDS.items():
        folder = ROOT / "latentlab" / name
        parts = {"__init__", "__main__", "config", command.work}
        parts |= {"rows", "findings"} if command.work == "instrument" else set()
        assert parts <= {path.stem for path in folder.glob("*.py")}, name


def test_modules_are_of_a_size_to_read():
    long = {}
    for path in (ROOT / "latentlab").rglob("*.py"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > 250:
            long[path.relative_to(ROOT).as_posix()] = lines
    assert long == {}
