"""Emulations as data: Atomic Red Team's YAML plus what each test must show. Knows nothing of running them.

Source of the form: redcanaryco/atomic-red-team, `atomic_red_team/spec.yaml`. The expected signals lie beside it in `expected.toml`,
because Atomic's form has no place for them.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from contraband.emulate.signals import Signal

_PLACEHOLDER = re.compile(r"#\{([A-Za-z0-9_]+)\}")
_ATOMICS_FOLDER = "PathToAtomicsFolder/"


class EmulationError(Exception):
    """An emulation cannot be read or run: which, and why."""


@dataclass(frozen=True, slots=True)
class InputArgument:
    """A value that the person who runs the test may set."""

    name: str
    description: str
    type: str  # path, string, url, integer or float
    default: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """What must be there before, how to see whether it is, and how to get it."""

    description: str
    check: str
    get: str


@dataclass(frozen=True, slots=True)
class Executor:
    """How the test runs. A manual one has steps for a person and no command."""

    name: str  # sh, bash, powershell, command_prompt or manual
    elevation_required: bool
    command: str
    cleanup: str


@dataclass(frozen=True, slots=True)
class Emulation:
    """One test: harmless commands that do what the technique does, and what a recording of them must show."""

    id: str  # short name, unique in the technique: T13
    guid: str
    technique: str
    name: str
    description: str
    platform: str  # windows, linux or macos
    inputs: tuple[InputArgument, ...]
    dependencies: tuple[Dependency, ...]
    dependency_executor: str
    executor: Executor
    verdict: str  # the least severity the package must alert with, or "none"
    published: bool | None  # whether the published rule fires; None where it depends on the sensor's naming
    signals: tuple[Signal, ...]

    def fill(self, text: str, values: dict[str, str]) -> str:
        """`text` with each `#{name}` replaced by the given value or the default, and Atomic's folder by ours."""
        defaults = {argument.name: argument.default for argument in self.inputs}
        unknown = sorted(set(values) - set(defaults))
        if unknown:
            raise EmulationError(
                f"{self.id} has no input argument `{unknown[0]}`; it has: {', '.join(sorted(defaults))}"
            )

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in defaults:
                raise EmulationError(f"{self.id}: `#{{{name}}}` is no input argument of the test")
            return values.get(name, defaults[name])

        filled = _PLACEHOLDER.sub(value, text)
        source = str(sources_folder(self.technique))
        return filled.replace(f"{_ATOMICS_FOLDER}{self.technique}/src", source)


def emulations_folder(technique: str) -> Path:
    """Where the technique's emulations lie, as a path: their sources are used by programs."""
    return Path(str(files("contraband") / "content" / technique / "emulations"))


def sources_folder(technique: str) -> Path:
    """Where the sources of the packages lie that the emulations build."""
    return emulations_folder(technique) / "src"


def load_emulations(technique: str) -> tuple[Emulation, ...]:
    """All emulations of a technique, in the order of their file. Raises `EmulationError`."""
    folder = emulations_folder(technique)
    path = folder / f"{technique}.yaml"
    if not path.is_file():
        raise EmulationError(f"there are no emulations of {technique}")
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    expected = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))["test"]
    by_guid = {entry["guid"]: entry for entry in expected}
    return tuple(_emulation(technique, test, by_guid) for test in document["atomic_tests"])


def _emulation(technique: str, test: dict[str, Any], by_guid: dict[str, dict[str, Any]]) -> Emulation:
    guid = test["auto_generated_guid"]
    if guid not in by_guid:
        raise EmulationError(f"{test['name']} ({guid}) has no expected signals")
    expected = by_guid[guid]
    executor = test["executor"]
    return Emulation(
        id=expected["id"],
        guid=guid,
        technique=technique,
        name=test["name"],
        description=test["description"].strip(),
        platform=test["supported_platforms"][0],
        inputs=tuple(
            InputArgument(name, argument["description"], argument["type"], str(argument["default"]))
            for name, argument in test.get("input_arguments", {}).items()
        ),
        dependencies=tuple(
            Dependency(entry["description"], entry["prereq_command"], entry["get_prereq_command"])
            for entry in test.get("dependencies", ())
        ),
        dependency_executor=test.get("dependency_executor_name", executor["name"]),
        executor=Executor(
            executor["name"],
            executor.get("elevation_required", False),
            executor.get("command", executor.get("steps", "")),
            executor.get("cleanup_command", ""),
        ),
        verdict=expected["verdict"],
        published=expected.get("published"),
        signals=tuple(Signal(entry["what"], entry["eql"]) for entry in expected["signals"]),
    )
