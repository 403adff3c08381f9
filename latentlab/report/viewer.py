"""The files that the viewer of single answers is made of.

The page embeds them: `viewer.html` is included by its template, style and script are parts of its
one style and its one script.
"""

STYLE = "viewer.css"
"""What the viewer looks like; colours and type are the page's."""

SCRIPTS = ("stage.js", "viewer.js")
"""What it does, in order: a file uses what stands in the ones before it."""
