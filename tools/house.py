"""The house as it is built: which rooms import which, read from the source and from nothing else.

    python tools/house.py            draw docs/house.svg from the imports and docs/architecture.md
    python tools/house.py --check    say what breaks the rules, if anything does

A room is a package of `latentlab` or one of its top-level modules. The order of the floors stands
in `docs/architecture.md`, in the block after `floors:`; a room may import what lies below it, and
nothing on its own floor or above. Names that are only imported for type checkers count as well.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "latentlab"
PAGE = ROOT / "docs" / "architecture.md"
DRAWING = ROOT / "docs" / "house.svg"


def room_of(module: str) -> str:
    """The room that a module of the package is in."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "latentlab"


def modules() -> dict[str, Path]:
    """Every module by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path
    return found


def imports_of(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of the package that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else str(node.module)


def module_graph() -> dict[str, set[str]]:
    """What every module imports."""
    known = modules()
    return {name: set(imports_of(path, known)) - {name} for name, path in known.items()}


def room_graph() -> dict[str, set[str]]:
    """What every room imports from other rooms."""
    graph: dict[str, set[str]] = {}
    for module, imported in module_graph().items():
        room = room_of(module)
        graph.setdefault(room, set()).update(map(room_of, imported))
    return {room: others - {room} for room, others in graph.items()}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of nodes that import each other, directly or by way of others (Tarjan, 1972)."""
    found: list[list[str]] = []
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def floors() -> list[list[str]]:
    """The floors of `docs/architecture.md`, from the ground up."""
    page = PAGE.read_text(encoding="utf-8")
    block = re.search(r"```floors\n(.*?)```", page, re.DOTALL)
    assert block is not None, f"{PAGE} has no block of floors"
    lines = [line.partition("#")[0].split() for line in block[1].splitlines()]
    return [line for line in lines if line][::-1]


def broken() -> list[str]:
    """What breaks the rules: circles, rooms without a floor, imports that go up or sideways."""
    graph, order = room_graph(), floors()
    where = {room: number for number, floor in enumerate(order) for room in floor}
    told = [f"circle of modules: {' '.join(group)}" for group in circles(module_graph())]
    told += [f"circle of rooms: {' '.join(group)}" for group in circles(graph)]
    told += [f"{room} has no floor in {PAGE.name}" for room in sorted(set(graph) - set(where))]
    told += [f"{room} has a floor and is not there" for room in sorted(set(where) - set(graph))]
    for room, imported in sorted(graph.items()):
        for other in sorted(imported):
            if room in where and other in where and where[other] >= where[room]:
                which = "beside" if where[other] == where[room] else "above"
                told.append(f"{room} imports {other}, which lies {which} it")
    return told
