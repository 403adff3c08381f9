"""Writes the JSON schemas of all files that people write into docs/schemas, for editors.

python tools/schemas.py            write them
python tools/schemas.py --check    fail where one on disk is not the one that is made
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from latentlab.data.records import RecordFields
from latentlab.manifest import Manifest
from latentlab.prompts import PromptFormat
from latentlab.reasoning.plan import LatentPlan
from latentlab.study.record import RunRecord
from latentlab.training.config import TrainConfig

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"

SCHEMAS: dict[str, Any] = {
    "example": RecordFields,
    "latentlab": Manifest,
    "plan": LatentPlan,
    "prompt-format": PromptFormat,
    "run": RunRecord,
    "training": TrainConfig,
}
"""What fills each file, by the name of its schema."""


def written(kind: Any) -> str:
    """The JSON schema of a dataclass or typed dictionary, as it stands on disk."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= TypeAdapter(kind).json_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def outdated(folder: Path = FOLDER) -> list[str]:
    """Names of files on disk that are not what is made, or should not be there."""
    made = {f"{name}.json": written(kind) for name, kind in SCHEMAS.items()}
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def main() -> int:
    """Write the schemas, or say which are outdated."""
    if "--check" in sys.argv[1:]:
        if wrong := outdated():
            print(f"outdated: {', '.join(wrong)}; run python tools/schemas.py")
        return bool(wrong)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, kind in SCHEMAS.items():
        (FOLDER / f"{name}.json").write_text(written(kind), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
