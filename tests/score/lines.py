"""Lines to score."""

CHOICES = ["a cat", "a dog", "a fish"]


def line(**fields) -> dict:
    """A line as the M3CoT project writes it, with some fields changed or, given None, left out."""
    whole = {
        "id": "q1",
        "question": "What is it?",
        "choices": CHOICES,
        "answer": "B",
        "domain": "science",
        "topic": "animals",
        "messages": ["What is it?", "It is (B)."],
    }
    return {name: value for name, value in (whole | fields).items() if value is not None}


def replies(*texts: str, **fields) -> list[dict]:
    """One line for each reply, all to questions whose answer is B."""
    return [line(id=f"q{i}", messages=["?", text], **fields) for i, text in enumerate(texts)]
