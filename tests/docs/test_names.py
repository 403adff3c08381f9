"""Names that pages and docstrings mention are there: modules, classes, functions, files."""

import ast
import importlib
import pkgutil
import re
from functools import cache
from pathlib import Path

import pytest

import latentlab

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DOTTED = re.compile(r"`(?:latentlab\.)?([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?:\(\))?`")
FILED = re.compile(r"`((?:latentlab|tests|experiments|figures|docs|benchmarks|tools)/[\w./-]+)`")
OF_PAGES = {"docs/extending.md"}  # what a page builds is not there before
MODULES = [
    info.name
    for info in pkgutil.walk_packages(latentlab.__path__, "latentlab.")
    if not info.name.endswith("__main__")
]


@cache
def classes() -> dict[str, list[type]]:
    """Every class of the library by its name."""
    found: dict[str, list[type]] = {}
    for name in MODULES:
        for value in vars(importlib.import_module(name)).values():
            if isinstance(value, type) and value.__module__.startswith("latentlab"):
                found.setdefault(value.__name__, []).append(value)
    return found


def has(value: object, name: str) -> bool:
    """Whether something has an attribute, be it one that only its instances have."""
    if hasattr(value, name) or name in getattr(value, "__dataclass_fields__", {}):
        return True
    if not isinstance(value, type):
        return False
    if any(name in getattr(base, "__annotations__", {}) for base in value.__mro__):
        return True
    source = Path(importlib.import_module(value.__module__).__file__).read_text()
    return f"self.{name}" in source


def resolves(name: str, module: str) -> bool:
    """Whether a dotted name is something, seen from a module."""
    parts = name.split(".")
    for start in (f"{module}.", f"{module.rpartition('.')[0]}.", "latentlab."):
        for depth in range(len(parts), 0, -1):
            if start + ".".join(parts[:depth]) in MODULES:
                value: object = importlib.import_module(start + ".".join(parts[:depth]))
                for part in parts[depth:]:
                    if not has(value, part):
                        break
                    value = getattr(value, part, None)
                else:
                    return True
    head, *rest = parts
    if rest == ["py"]:
        return any(module.rpartition(".")[2] == head for module in MODULES)
    head = head if head in classes() else head.capitalize()  # an example, a latent
    return bool(rest) and any(has(one, rest[0]) for one in classes().get(head, []))


def known(name: str) -> bool:
    """Whether a name begins as one of ours; others are of other libraries, or of variables."""
    head, end = name.split(".")[0], name.rpartition(".")[2]
    if end in ("bib", "css", "csv", "html", "json", "jsonl", "parquet", "yaml"):
        return False
    stems = {module.rpartition(".")[2] for module in MODULES}
    return head in stems or head in classes()


def docstrings() -> list[tuple[str, str]]:
    """Every docstring, attribute docstrings among them, by its module."""
    found = []
    for path in sorted((ROOT / "latentlab").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            value = getattr(node, "value", None) if isinstance(node, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.append((module, value.value))
    return found


def mentions() -> list[tuple[str, str, str]]:
    """Where, as seen from which module, and what is mentioned."""
    told = [(module, module, text) for module, text in docstrings()]
    for page in PAGES:
        told.append((page.relative_to(ROOT).as_posix(), "latentlab", page.read_text()))
    return told


def test_every_dotted_name_is_there():
    lost = [
        f"{where}: {name}"
        for where, module, text in mentions()
        if where not in OF_PAGES
        for name in DOTTED.findall(text)
        if known(name) and not resolves(name, module)
    ]
    assert lost == []


def test_every_file_is_there():
    lost = [
        f"{where}: {name}"
        for where, _, text in mentions()
        if where not in OF_PAGES
        for name in FILED.findall(text)
        if not (ROOT / name).exists() and "NAME" not in name
    ]
    assert lost == []


@pytest.mark.parametrize("name", ["lens.rows.rows_of", "study.arms.Arm.facts", "Rollout.plan"])
def test_names_that_are_there_are_found(name):
    assert resolves(name, "latentlab")


@pytest.mark.parametrize("name", ["lens.rows.read_all", "study.arms.run_arms", "Rollout.clock"])
def test_names_that_are_gone_are_noticed(name):
    assert not resolves(name, "latentlab")
