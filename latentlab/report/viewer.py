"""The files that the viewer of single answers is made of.

The page embeds them: viewer.html is included by its template, style and script are parts of its
one style and its one script.
"""

STYLE = "viewer.css"
"""What the viewer looks like; colours and type are the page's."""

SCRIPTS = (
    "nodes.js", "unpack.js", "picture.js", "reading.js", "walk.js", "words.js", "play.js",
    "viewer.js",
)  # fmt: skip
"""What it does, in order: a file uses what stands in the ones before it."""
