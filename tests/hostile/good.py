"""What is right: checkpoints, data, trainings and results of which hostile inputs are made."""

from hypothesis import HealthCheck, Phase, settings

TOKENS = ("ablate", "evaluate", "interchange")
"""Commands that write answers, which untrained models never end."""

DATA = [
    {
        "id": f"a{i}",
        "question": "Follow one hop from the red circle.",
        "choices": ["red circle", "red square"],
        "answer": "red square",
        "image": "a.png",
        "rationale": ["red circle"],
        "domain": "digits",
        "topic": "t",
        "hops": 1,
        "groups": {"grade": "1"},
        "trace": {
            "cells": [hop % 2 for hop in range(9)],
            "objects": ["red circle", "red square"],
            "links": [1, 0],
        },
    }
    for i in range(2)
]
TABLE = "q,img,a,b,gold\nFollow one hop.,a.png,red circle,red square,A\nFollow.,a.png,red,blue,B\n"
COLUMNS = ("question=q", "image=img", "choices=a+b", "answer=gold")
M3COT = [
    {
        "id": f"m{i}",
        "category": "Lengths",
        "image_id": "1",
        "question": "Which of these rods is the longest?",
        "choices": ["the navy rod", "the crimson rod"],
        "context": "Rods lie on a table.",
        "answer": "B",
        "rationale": "The navy rod is 28 mm long.\nSo it is the crimson rod.",
        "split": "test",
        "image": "data/a.png",
        "domain": "science",
        "topic": "natural-science",
    }
    for i in range(2)
]
PROBLEMS = {
    str(i): {
        "question": "Which of these rods is the longest?",
        "choices": ["the navy rod", "the crimson rod"],
        "answer": 1,
        "hint": "Rods lie on a table.",
        "image": "a.png",
        "task": "closed choice",
        "grade": "grade2",
        "subject": "natural science",
        "topic": "physics",
        "category": "Measuring",
        "skill": "Compare lengths",
        "lecture": "A length is how far one end is from the other.",
        "solution": "So it is the crimson rod.",
        "split": "test",
    }
    for i in range(2)
}
SPLITS = {"train": ["0"], "val": ["1"], "test": ["0", "1"]}
TRAINING = {
    "name": "mine",
    "plan": {"steps": 1, "k": 1, "select_layers": [0]},
    "init": {"hidden": 32, "layers": 2, "heads": 2, "feed_forward": 64},
    "seed": 1,
    "weight_decay": 0.01,
    "max_tokens": 400,
    "checkpoint_every": 5,
    "eval_examples": 2,
    "eval_data": "benchmark:hops=1",
    "stages": [
        {"name": "one", "updates": 1, "data": "benchmark:hops=1", "batch_size": 4},
        {"name": "two", "updates": 1, "batch_size": 4, "learning_rate": 0.001, "latent_steps": 1},
    ],
}
EXPERIMENT = '''"""Title."""
from latentlab.evaluate.config import EvaluateConfig
from latentlab.figures.artifacts import Table
from latentlab.figures.experiment import Study

PART = "main"
CONFIG = EvaluateConfig(limit=2, max_new_tokens=2, device="cpu")
STUDIES = (Study("one", "evaluate", CONFIG),)


def make(found):
    lines = found["one"].summary
    return Table(lines.astype(str), lines, "Found.\\n\\nDrawn.")
'''


def cases(count: int):
    """Draw the same so many cases at each run; the first that fails is told as it is."""
    return settings(
        max_examples=count,
        phases=(Phase.explicit, Phase.generate),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
