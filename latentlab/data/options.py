"""The options of a spec: `name:option=value,option=value`."""

from __future__ import annotations

from collections.abc import Iterable

from latentlab.errors import UserError, did_you_mean

ALWAYS = ("split", "seed")
"""Options that every source is given, whether it has a use for them or not."""


class Options(dict[str, str]):
    """The options of a spec as written, together with the split and seed asked for."""

    strict: bool = True
    """Whether to stop at the first example that cannot be used."""

    def read(self, text: str, spec: str) -> None:
        """Take in what stands after the colon of a spec.

        Raises:
            UserError: It is not made of options; the message names the spec.
        """
        given = set()
        for part in filter(None, text.split(",")):
            key, equals, value = part.partition("=")
            if not (key and equals and value):
                raise UserError(f"data: {part!r} in {spec!r} is not of the form option=value")
            if key.strip() in given:
                raise UserError(f"data: {key.strip()} is given twice in {spec!r}")
            given.add(key.strip())
            self[key.strip()] = value.strip()

    def check(self, source: str, known: Iterable[str]) -> None:
        """Refuse options that a source does not have.

        Raises:
            UserError: There is one.
        """
        names = (*known, *ALWAYS)
        for option in self:
            if option not in names:
                hint = did_you_mean(option, names)
                raise UserError(f"data: {source} has no option {option!r}; {hint}")

    def size(self, usual: int | None = None) -> int | None:
        """Width and height in pixels that pictures are brought to; None leaves them as they are.

        Raises:
            UserError: It is no such number.
        """
        text = self.get("size")
        if text is None:
            return usual
        if text == "own":
            return None
        if not text.isdecimal() or int(text) < 1:
            raise UserError(f"data: size={text} is neither a number of pixels nor 'own'")
        return int(text)
