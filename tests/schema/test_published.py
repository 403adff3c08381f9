"""The JSON schemas in docs are those of the code, and hold good files for good."""

import importlib.util
import json
from pathlib import Path

import yaml

from latentlab.checkpoint import ZOO

ROOT = Path(__file__).parents[2]


def tool():
    spec = importlib.util.spec_from_file_location("schemas", ROOT / "tools" / "schemas.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_schemas_on_disk_are_those_of_the_code(tmp_path):
    schemas = tool()
    assert schemas.outdated() == []
    assert len(schemas.outdated(tmp_path)) == len(schemas.SCHEMAS)


def test_every_field_is_described():
    for kind in tool().SCHEMAS.values():
        schema = json.loads(tool().written(kind))
        for part in (schema, *schema.get("$defs", {}).values()):
            bare = [n for n, one in part.get("properties", {}).items() if "description" not in one]
            assert not bare, part["title"]


def test_names_in_embedded_models_are_those_of_the_schemas():
    folder = ROOT / "docs" / "schemas"
    for name, file in (("latentlab", "latentlab.json"), ("training", "config.yaml")):
        schema = json.loads((folder / f"{name}.json").read_text())
        for path in ZOO.glob(f"*/{file}"):
            assert yaml.safe_load(path.read_text()).keys() <= schema["properties"].keys()
