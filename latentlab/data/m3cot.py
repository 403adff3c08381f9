"""M3CoT: questions on pictures from science, commonsense and mathematics, with rationales.

Answers are letters. A rationale becomes at most three steps by the published rule. What M3CoT calls
the context of a question is kept, and left out of the prompt by the published formats.
"""

from __future__ import annotations

from latentlab.data.images import StoredImage, find_inside
from latentlab.data.rationale import split_steps
from latentlab.data.records import Record, letter_answer, read_record, text_of, texts_of
from latentlab.data.tables import Row, Table

HUB = "LightChen2333/M3CoT"
"""Where the data is on the hub."""

COLUMNS = frozenset({"question", "choices", "answer", "rationale", "domain", "topic", "category"})
"""By these a table is known to be M3CoT."""

SIZE = 280
"""Width and height of pictures in the IVT-LR release."""


class M3CoTReader:
    """Makes records of rows of M3CoT."""

    def __init__(self, table: Table, all_examples: bool = False) -> None:
        """Read from a table.

        Args:
            table: The rows, of the hub or of the project's `train.jsonl`, `dev.jsonl`, ...
            all_examples: Whether questions without a picture are asked as well.
        """
        self._table = table
        self._all = all_examples

    def __call__(self, row: Row) -> Record | None:
        """Read one row; None where it has no picture and such are not asked.

        Raises:
            UserError: Something is missing, or contradicts itself.
        """
        values = row.values
        image = self._image(values)
        if image is None and not self._all:
            return None
        choices = texts_of(values, "choices")
        return read_record(
            {
                "id": text_of(values, "id"),
                "question": text_of(values, "question"),
                "choices": list(choices),
                "answer": letter_answer(text_of(values, "answer"), choices),
                "image": image,
                "rationale": list(split_steps(text_of(values, "rationale", needed=False))),
                "domain": text_of(values, "domain", needed=False),
                "topic": text_of(values, "topic", needed=False),
                "context": text_of(values, "context", needed=False),
                "groups": {"category": text_of(values, "category", needed=False)},
            }
        )

    def _image(self, values: dict[str, object]) -> str | StoredImage | None:
        """The picture, whose path the project writes as seen from the folder above `data`."""
        image = values.get("image") or values.get("image_path")
        if image is None or isinstance(image, StoredImage):
            return image
        names = (str(image), str(image).removeprefix("data/"), f"images/{values.get('id')}.png")
        return find_inside(self._table.folders, names)
