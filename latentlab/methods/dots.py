"""Dots with coordinates, drawn on a picture (SCAFFOLD, leixy20/Scaffold)."""

from PIL import Image, ImageDraw, ImageFont

DOTS = 6
"""Rows of dots, and dots of a row."""

BRIGHT = 382.5
"""Sum of red, green and blue from which a place is bright, and its dot black."""

SMALLEST_DOT, SMALLEST_LABEL = 2, 9
"""Radius of a dot and height of a label in pixels, at least: a 240th and a 40th of the width, as
released, are a pixel and an unreadable label on small pictures."""


def dotted(picture: Image.Image) -> Image.Image:
    """A copy with 6 x 6 dots, each labelled (row,column), counted from 1 at the top left."""
    shown = picture.convert("RGB")
    draw = ImageDraw.Draw(shown)
    width, height = shown.size
    radius = max(SMALLEST_DOT, width // 240)
    font = ImageFont.load_default(max(SMALLEST_LABEL, width // 40))
    for row, column, x, y in places(width, height):
        red, green, blue = picture.convert("RGB").crop((x, y, x + 1, y + 1)).tobytes()
        colour = "black" if red + green + blue >= BRIGHT else "white"
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        draw.text((x + radius + 1, y), f"({row},{column})", fill=colour, font=font)
    return shown


def places(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """Row, column, x and y of every dot."""
    step = range(1, DOTS + 1)
    return [
        (row, column, column * width // (DOTS + 1), row * height // (DOTS + 1))
        for row in step
        for column in step
    ]
