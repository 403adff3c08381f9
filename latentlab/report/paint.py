"""Colours of data on the page: those of the figures, made lighter where the ground is dark."""

import colorsys
import re
from collections.abc import Iterable

from latentlab.figures.style import DARK_LETTERS, LIGHT_LETTERS, MODELS, model_style

CARDS = {"light": "#ffffff", "dark": "#1e2125"}
"""What lies behind figures, as in `style.css`."""

LEAST = 4.5
"""Contrast that a colour has to the ground in the dark."""

DARK = "@media screen and (prefers-color-scheme: dark)"
"""Where the ground is dark: never on paper."""


def dark_rules(drawings: Iterable[str]) -> str:
    """Rules that lighten the colours of drawings that could not be told from a dark ground.

    Args:
        drawings: elements as `inline.inline_svg` makes them: a class names each colour.
    """
    text = "".join(drawings)
    rules = []
    for name, kind in (("f", "fill"), ("s", "stroke")):
        for colour in sorted(set(re.findall(rf'{kind}="#([0-9a-f]{{6}})"', text))):
            # Letters on a cell of a grid lie on its colour and not on the ground.
            kept = f"#{colour}" in (LIGHT_LETTERS, DARK_LETTERS)
            if (lighter := lightened(f"#{colour}")) != f"#{colour}" and not kept:
                rules.append(f".{name}-{colour}{{{kind}:{lighter}}}")
    return f"{DARK}{{{''.join(rules)}}}" if rules else ""


def model_rules(models: Iterable[str]) -> str:
    """The colour of each model as a variable `--model-NAME`; letters alone, the rest is a dash."""
    names = list(dict.fromkeys([*MODELS, *models]))
    colours = {re.sub(r"[^\w-]", "-", name): model_style(name, names)[0] for name in names}
    light, dark = (
        "".join(f"--model-{name}:{paint(colour)};" for name, colour in colours.items())
        for paint in (str, lightened)
    )
    return f":root{{{light}}}{DARK}{{:root{{{dark}}}}}"


def lightened(colour: str) -> str:
    """A colour of the same hue that stands out from the ground in the dark; `#rrggbb`."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    while light < 1 and contrast(colour, CARDS["dark"]) < LEAST:
        light = min(1.0, light + 0.02)
        rgb = colorsys.hls_to_rgb(hue, light, saturation)
        colour = "#" + "".join(f"{round(255 * value):02x}" for value in rgb)
    return colour


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, as WCAG 2 defines it: from 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of a colour, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True)))
