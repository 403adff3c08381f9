"""Files of lines to score."""

import json

import pytest


@pytest.fixture
def written(tmp_path):
    """Makes a function that writes lines, or text as it is, to a file."""

    def write(lines, name="replies.jsonl"):
        texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
        (tmp_path / name).write_text("\n".join(texts) + "\n", encoding="utf-8")
        return tmp_path / name

    return write
