"""Draws the samples beside this file: a few questions in every layout that data comes in.

python tests/samples/make.py
"""

import csv
import json
import shutil
from pathlib import Path

from datasets import Dataset, DatasetDict, Features, Image, List, Value
from PIL import Image as Pillow
from PIL import ImageDraw

HERE = Path(__file__).parent
SIDE = 60
COLOURS = ("navy", "crimson", "seagreen", "goldenrod")

QUESTIONS = {
    "train": (
        ("science", "natural-science", "Which of these rods is the longest?", (20, 44, 32)),
        ("mathematics", "geometry", "Which of these rods has the length of two others together?",
         (10, 20, 30)),
        ("commonsense", "physical-commonsense", "Which rod would best reach across a gap?",
         (50, 26, 12)),
        ("science", "natural-science", "Which of these rods is the shortest?", (40, 30, 16)),
    ),
    "dev": (
        ("science", "natural-science", "Which of these rods is of middle length?", (18, 30, 42)),
        ("mathematics", "geometry", "Which rod is half as long as the longest?", (44, 22, 30)),
    ),
    "test": (
        ("science", "natural-science", "Which of these rods is the longest?", (28, 16, 46)),
        ("mathematics", "geometry", "Which rod is three times as long as the shortest?",
         (12, 36, 20)),
        ("commonsense", "physical-commonsense", "Which rod fits into the smallest box?",
         (42, 30, 14)),
    ),
}  # fmt: skip
"""Domain, topic, question and the lengths of the rods that the picture shows, by split."""

ANSWERS = {"train": (1, 2, 0, 2), "dev": (1, 1), "test": (2, 1, 2)}
"""Number of the right rod."""


def rods(lengths: tuple[int, ...]) -> Pillow.Image:
    """Rods of given lengths, one above the other."""
    picture = Pillow.new("RGB", (SIDE, SIDE), "white")
    for place, (length, colour) in enumerate(zip(lengths, COLOURS, strict=False)):
        ImageDraw.Draw(picture).rectangle((5, 8 + 18 * place, 5 + length, 16 + 18 * place), colour)
    return picture


def m3cot_rows(split: str) -> list[dict[str, object]]:
    """Questions of a split with the fields of M3CoT; `image` is a picture."""
    rows = []
    asked = zip(QUESTIONS[split], ANSWERS[split], strict=True)
    for number, ((domain, topic, question, lengths), right) in enumerate(asked, start=1):
        names = [f"the {colour} rod" for colour in COLOURS[: len(lengths)]]
        lines = [
            f"{n[0].upper()}{n[1:]} is {cm} mm long." for n, cm in zip(names, lengths, strict=True)
        ]
        rows.append(
            {
                "id": f"{topic}-{split}-{number}",
                "category": "Lengths",
                "image_id": str(number),
                "question": question,
                "choices": names,
                "context": "Rods lie on a table." if number == 1 else "",
                "answer": "ABC"[right],
                "rationale": " ".join(lines) + f"\nSo it is {names[right]}.",
                "split": split,
                "image": rods(lengths),
                "domain": domain,
                "topic": topic,
            }
        )
    bare = {**rows[0], "id": f"language-{split}-0", "question": "Which rod is mentioned first?"}
    return [*rows, {**bare, "image": None}]


def m3cot_project(folder: Path) -> None:
    """The files of the M3CoT project."""
    (folder / "data" / "images").mkdir(parents=True)
    for split in QUESTIONS:
        lines = []
        for row in m3cot_rows(split):
            if picture := row["image"]:
                row["image"] = f"data/images/{row['id']}.png"
                picture.save(folder / row["image"])
            lines.append(json.dumps(row) + "\n")
        (folder / "data" / f"{split}.jsonl").write_text("".join(lines))


def m3cot_stored(parquet: Path, arrow: Path) -> None:
    """Parquet with pictures in it as on the hub, and a folder that `datasets` saved."""
    texts = ("id", "category", "image_id", "question", "context", "answer", "rationale", "split")
    features = Features(
        {name: Value("string") for name in (*texts, "domain", "topic")}
        | {"choices": List(Value("string")), "image": Image()}
    )
    splits = {
        {"dev": "validation"}.get(split, split): Dataset.from_list(m3cot_rows(split), features)
        for split in QUESTIONS
    }
    (parquet / "data").mkdir(parents=True)
    for name, split in splits.items():
        split.to_parquet(parquet / "data" / f"{name}-00000-of-00001.parquet")
    DatasetDict(splits).save_to_disk(arrow)


def scienceqa_project(folder: Path) -> None:
    """The files of the ScienceQA project."""
    problems, splits = {}, {}
    for split, name in (("train", "train"), ("dev", "val"), ("test", "test")):
        splits[name] = []
        for number, row in enumerate(m3cot_rows(split)):
            pid = str(len(problems) + 1)
            splits[name].append(pid)
            if row["image"]:
                place = folder / "images" / name / pid
                place.mkdir(parents=True)
                row["image"].save(place / "image.png")
            problems[pid] = {
                "question": row["question"],
                "choices": row["choices"],
                "answer": "ABC".index(row["answer"]),
                "hint": row["context"],
                "image": "image.png" if row["image"] else None,
                "task": "closed choice",
                "grade": f"grade{2 + 3 * number}",
                "subject": "language science" if row["image"] is None else "natural science",
                "topic": "physics",
                "category": "Measuring",
                "skill": "Compare lengths",
                "lecture": "" if number == 1 else "A length is how far one end is from the other.",
                "solution": row["rationale"],
                "split": name,
            }
    splits |= {"trainval": splits["train"] + splits["val"], "minitest": splits["test"][:1]}
    (folder / "problems.json").write_text(json.dumps(problems, indent=1))
    (folder / "pid_splits.json").write_text(json.dumps(splits))


def own_table(folder: Path) -> None:
    """A CSV file with columns of its own names, and the pictures it names."""
    (folder / "pictures").mkdir(parents=True)
    with (folder / "rods.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["q", "img", "a", "b", "c", "gold", "why", "school"])
        for number, row in enumerate(m3cot_rows("train")[:-1]):
            image = f"pictures/{number}.png"
            row["image"].save(folder / image)
            cells = [row["question"], image, *row["choices"], row["answer"], row["rationale"]]
            table.writerow([*cells, "north" if number % 2 else "south"])


def main() -> None:
    """Draw all samples anew."""
    names = ("m3cot", "m3cot_parquet", "m3cot_arrow", "scienceqa", "own")
    for name in names:
        shutil.rmtree(HERE / name, ignore_errors=True)
    m3cot_project(HERE / "m3cot")
    m3cot_stored(HERE / "m3cot_parquet", HERE / "m3cot_arrow")
    scienceqa_project(HERE / "scienceqa")
    own_table(HERE / "own")


if __name__ == "__main__":
    main()
