"""The emulations are Atomic Red Team's YAML: what its schema demands, and what its reviewers ask beyond it, as they can be contributed."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
import yaml

from contraband.emulate import load_emulations
from contraband.emulate.atomic import emulations_folder

TECHNIQUE = "T1546.016"
TEXT = {"type": "string", "minLength": 1}
EXECUTORS = ["bash", "command_prompt", "manual", "powershell", "sh"]
# Written from the facts of redcanaryco/atomic-red-team, bin/validate/atomic-red-team.schema.yaml; stricter where it leaves holes.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["attack_technique", "display_name", "atomic_tests"],
    "additionalProperties": False,
    "properties": {
        "attack_technique": {"type": "string", "pattern": r"^T\d{4}(\.\d{3})?$"},
        "display_name": TEXT,
        "atomic_tests": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"$ref": "#/$defs/test"}},
    },
    "$defs": {
        "test": {
            "type": "object",
            "required": ["name", "auto_generated_guid", "description", "supported_platforms", "executor"],
            "additionalProperties": False,
            "properties": {
                "name": TEXT,
                "auto_generated_guid": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
                "description": TEXT,
                "supported_platforms": {
                    "type": "array",
                    "minItems": 1,
                    "uniqueItems": True,
                    "items": {"enum": ["linux", "macos", "windows"]},
                },
                "input_arguments": {
                    "type": "object",
                    "minProperties": 1,
                    "patternProperties": {r"^[\w-]+$": {"$ref": "#/$defs/argument"}},
                    "additionalProperties": False,
                },
                "dependency_executor_name": {"enum": EXECUTORS},
                "dependencies": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/dependency"}},
                "executor": {"$ref": "#/$defs/executor"},
            },
        },
        "argument": {
            "type": "object",
            "required": ["description", "type", "default"],
            "additionalProperties": False,
            "properties": {
                "description": TEXT,
                "type": {"enum": ["path", "string", "url", "integer", "float"]},
                "default": {},
            },
        },
        "dependency": {
            "type": "object",
            "required": ["description", "prereq_command", "get_prereq_command"],
            "additionalProperties": False,
            "properties": {"description": TEXT, "prereq_command": TEXT, "get_prereq_command": TEXT},
        },
        "executor": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["name", "command"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"enum": ["bash", "command_prompt", "powershell", "sh"]},
                        "elevation_required": {"type": "boolean"},
                        "command": TEXT,
                        "cleanup_command": {"type": "string"},
                    },
                },
                {
                    "type": "object",
                    "required": ["name", "steps"],
                    "additionalProperties": False,
                    "properties": {
                        "name": {"const": "manual"},
                        "elevation_required": {"type": "boolean"},
                        "steps": TEXT,
                        "cleanup_command": {"type": "string"},
                    },
                },
            ]
        },
    },
}


def _document() -> dict[str, Any]:
    text = (emulations_folder(TECHNIQUE) / f"{TECHNIQUE}.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def test_the_file_is_valid() -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(_document())


def test_the_schema_refuses_what_atomic_refuses() -> None:
    document = _document()
    document["atomic_tests"][0]["executor"] = {"name": "python", "command": "pass"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(document)


def test_every_argument_is_used_and_every_mention_is_an_argument() -> None:
    for test in _document()["atomic_tests"]:
        text = yaml.safe_dump({key: test.get(key) for key in ("dependencies", "executor")})
        mentioned = set(re.findall(r"#\{([\w-]+)\}", text))
        assert mentioned == set(test.get("input_arguments", {})), test["name"]


def test_nothing_leaves_the_machine() -> None:
    for test in _document()["atomic_tests"]:
        text = yaml.safe_dump({key: test.get(key) for key in ("input_arguments", "executor")})
        hosts = set(re.findall(r"https?://([^/:\s'\"]+)", text))
        assert hosts <= {"127.0.0.1", "localhost"}, test["name"]


def test_guids_and_ids_are_unique() -> None:
    tests = load_emulations(TECHNIQUE)
    assert len({test.guid for test in tests}) == len({test.id for test in tests}) == len(tests)
