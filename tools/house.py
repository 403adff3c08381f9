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


def needed_lines(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """The imports that do not follow from others: the least that shows who rests on whom."""

    def below(room: str) -> set[str]:
        found: set[str] = set()
        for other in graph[room]:
            found |= {other} | below(other)
        return found

    reached = {room: below(room) for room in graph}
    return [
        (room, other)
        for room, imported in sorted(graph.items())
        for other in sorted(imported)
        if not any(other in reached[between] for between in imported - {other})
    ]


def draw(order: list[list[str]], graph: dict[str, set[str]]) -> str:
    """The house as SVG: floors from the ground up, and between them the imports that are needed."""
    width, storey, height, pad = 1120, 74, 30, 14
    top = len(order) - 1
    boxes: dict[str, tuple[float, float, float]] = {}
    for number, floor in enumerate(order):
        sizes = [8.2 * len(room) + 22 for room in floor]
        gap = (width - sum(sizes)) / (len(floor) + 1)
        x = gap
        for room, size in zip(floor, sizes, strict=True):
            boxes[room] = (x, (top - number) * storey + pad, size)
            x += size + gap
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {len(order) * storey}" '
        'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13">',
        f'<rect width="{width}" height="{len(order) * storey}" fill="#ffffff"/>',
    ]
    for room, other in needed_lines(graph):
        (x, y, w), (u, v, z) = boxes[room], boxes[other]
        start, end, middle = y + height, v, (y + height + v) / 2
        path = f"M{x + w / 2:.0f} {start:.0f} C{x + w / 2:.0f} {middle:.0f}"
        path += f" {u + z / 2:.0f} {middle:.0f} {u + z / 2:.0f} {end:.0f}"
        parts.append(f'<path d="{path}" fill="none" stroke="#8aa4bd" stroke-width="1"/>')
    for room, (x, y, w) in boxes.items():
        parts.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{w:.0f}" height="{height}" rx="5" '
            'fill="#eef4fa" stroke="#0b5c94"/>'
        )
        parts.append(
            f'<text x="{x + w / 2:.0f}" y="{y + 20:.0f}" text-anchor="middle" '
            f'fill="#12303f">{room}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def main(arguments: list[str]) -> int:
    """Draw the house, or say what is wrong with it."""
    told = broken()
    for line in told:
        print(line)
    if "--check" not in arguments and not told:
        DRAWING.write_text(draw(floors(), room_graph()), encoding="utf-8")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
