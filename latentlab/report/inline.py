"""A drawing out of a file as a part of the page, so that it follows the page into the dark.

Only what draws is let through: shapes, their places and their paint. Declarations of style become
attributes, since the page's policy forbids style in attributes; names get a prefix, since a page
has one name space; neutral colours become classes, which the style sheet paints light or dark.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

from markupsafe import Markup

from latentlab.figures import style

NEUTRALS = ("INK", "MUTED", "GRID", "PAPER")
"""Colours of `latentlab.figures.style` that are not data."""

_SHAPES = {
    *("svg", "g", "defs", "clipPath", "path", "use", "rect", "circle", "ellipse", "line"),
    *("polyline", "polygon", "image"),
}
_PLACES = {
    *("x", "y", "width", "height", "cx", "cy", "r", "rx", "ry", "x1", "y1", "x2", "y2"),
    *("transform", "viewBox", "preserveAspectRatio"),
}
_PAINT = {
    *("stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-dasharray"),
    *("stroke-dashoffset", "stroke-miterlimit", "opacity", "fill-opacity", "stroke-opacity"),
    *("fill-rule", "clip-rule", "image-rendering"),
}
_LONG = re.compile(r"-?\d+\.\d{3,}")
_HREF = "{http://www.w3.org/1999/xlink}href"


def inline_svg(path: Path, prefix: str, label: str) -> Markup:
    """A drawing as an element of the page.

    Args:
        path: an SVG file.
        prefix: put before every name in it.
        label: what it shows, for those who cannot see it.

    Raises:
        ParseError: the file is no XML.
    """
    root = _cleaned(ElementTree.fromstring(path.read_bytes()), prefix, _classes())
    for side in ("width", "height"):
        root.attrib.pop(side, None)  # the page gives it its size
    _forget_unused(root)
    root.attrib |= {"role": "img", "aria-label": label}
    root.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}  # as matplotlib draws
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _forget_unused(root: ElementTree.Element) -> None:
    """Take away the names of elements that nothing refers to: groups and pictures."""
    values = [value for element in root.iter() for value in element.attrib.values()]
    used = {name for value in values for name in re.findall(r"#([^)]+)", value)}
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)


def width_of(path: Path) -> float:
    """Width of a drawing in inches, of which an SVG point is the 72nd part."""
    found = re.search(r'<svg[^>]*\swidth="([\d.]+)pt"', path.read_text(encoding="utf-8"))
    return float(found[1]) / 72 if found else 6.75


def _classes() -> dict[str, str]:
    """The class of each neutral colour."""
    found = {name: getattr(style, name, None) for name in NEUTRALS}
    return {str(colour).lower(): name.lower() for name, colour in found.items() if colour}


def _cleaned(
    element: ElementTree.Element, prefix: str, neutral: dict[str, str]
) -> ElementTree.Element:
    """An element and those below it, with nothing in it but shapes, places and paint."""
    attributes, classes = {}, []
    declared = (part.partition(":") for part in element.get("style", "").split(";"))
    painted = {name.strip(): value.strip() for name, _, value in declared}
    given = {(_tag(key) if key == _HREF else key): v for key, v in element.attrib.items()}
    for name, value in (given | painted).items():
        if name in ("fill", "stroke"):
            colour = value.lower()
            kind = neutral.get(colour) or (colour[1:] if colour.startswith("#") else "")
            classes += [f"{name[0]}-{kind}"] if kind else []
            attributes[name] = colour
        elif name == "href":
            if value.startswith("#"):
                attributes[name] = f"#{prefix}{value[1:]}"
            elif value.startswith("data:image/png;base64,"):
                attributes[name] = value
        elif name == "id":
            attributes[name] = prefix + value
        elif name == "clip-path":
            attributes[name] = value.replace("url(#", f"url(#{prefix}")
        elif name in ("d", "x", "y", "points"):
            attributes[name] = _LONG.sub(lambda m: f"{float(m[0]):.2f}", value).replace("\n", " ")
        elif name in _PLACES | _PAINT:
            attributes[name] = value
    if classes:
        attributes["class"] = " ".join(classes)
    clean = ElementTree.Element(_tag(element.tag), attributes)
    for child in element:
        if isinstance(child.tag, str) and _tag(child.tag) in _SHAPES:
            clean.append(_cleaned(child, prefix, neutral))
    return clean


def _tag(name: str) -> str:
    """A name without its name space."""
    return name.rpartition("}")[2]
