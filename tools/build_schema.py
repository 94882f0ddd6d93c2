"""Builds content/schemas/fields.csv from the schemas that Elastic publishes. It takes names, types and nothing else of them.

    python tools/build_schema.py --ecs package/generated/ecs_flat.ts --ecs-version 9.4.0 \
        --fields endpoint=endpoint-package/package/endpoint/data_stream --fields windows=integrations/packages/windows/data_stream

`--ecs` is `generated/ecs_flat.ts` of the npm package `@elastic/ecs` (Apache-2.0), or `generated/ecs/ecs_flat.yml` of
github.com/elastic/ecs. Each `--fields NAME=PATH` is a folder with Elastic's `fields/*.yml` files, of a checkout of
github.com/elastic/integrations, elastic/endpoint-package or elastic/beats. What was not checked out is read from
tools/schema/*.toml: facts taken from the same repositories, one file an integration, with its source and version. There each table holds
names by type below the path that it is called by, or below each path of `at`; a name that ends in `*` is every further key.
The first source that names a field decides its type: ECS, then the integrations in the order given.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "src/contraband/content/schemas/fields.csv"
EXTRACTS = ROOT / "tools/schema"

Field = tuple[str, str]  # name, Elasticsearch type

_ENTRY = re.compile(r"^  '?([@\w.]+)'?: \{$")
_TYPE = re.compile(r"^    type: '(\w+)',$")
_MULTI_NAME = re.compile(r"^        flat_name: '([@\w.]+)',$")
_MULTI_TYPE = re.compile(r"^        type: '(\w+)',$")


def read_typescript(path: Path) -> Iterator[Field]:
    """Fields of the generated `ecs_flat.ts`, multi-fields included."""
    name = multi = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := _ENTRY.match(line):
            name = match[1]
        elif match := _TYPE.match(line):
            yield name, match[1]
        elif match := _MULTI_NAME.match(line):
            multi = match[1]
        elif multi and (match := _MULTI_TYPE.match(line)):
            yield multi, match[1]
            multi = ""


def read_flat_yaml(path: Path) -> Iterator[Field]:
    """Fields of an `ecs_flat.yml`."""
    import yaml

    for name, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        yield name, entry["type"]
        for multi in entry.get("multi_fields", ()):
            yield multi["flat_name"], multi["type"]


def read_integration(folder: Path) -> Iterator[Field]:
    """Fields of every `fields/*.yml` below a folder. Those that refer to ECS (`external: ecs`) are ECS's own."""
    import yaml

    for path in sorted(folder.rglob("fields/*.yml")):
        yield from _walk(yaml.safe_load(path.read_text(encoding="utf-8")) or [], "")


def _walk(entries: list[dict[str, object]], prefix: str) -> Iterator[Field]:
    for entry in entries:
        name = f"{prefix}{entry['name']}"
        nested = entry.get("fields")
        if isinstance(nested, list):
            yield from _walk(nested, f"{name}.")
        elif "external" not in entry and entry.get("type") != "group":
            yield name, str(entry.get("type", "keyword"))
            for multi in entry.get("multi_fields") or ():  # type: ignore[attr-defined]
                yield f"{name}.{multi['name']}", multi["type"]


def read_extract(tables: dict[str, Any], *, paths: tuple[str, ...] = ()) -> Iterator[Field]:
    """The fields of one of `tools/schema/*.toml`; TOML nests `[winlog.event_data]` below `[winlog]`."""
    below = tables.get("at") or [".".join(paths)]
    for key, value in tables.items():
        if isinstance(value, dict):
            yield from read_extract(value, paths=(*paths, key))
        elif isinstance(value, list) and key != "at":
            yield from ((f"{path}.{name}".lstrip("."), key) for path in below for name in value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ecs", type=Path, required=True)
    parser.add_argument("--ecs-version", required=True, help="as the file's package names it")
    parser.add_argument("--fields", action="append", default=[], metavar="NAME=PATH")
    arguments = parser.parse_args()
    reader = read_typescript if arguments.ecs.suffix == ".ts" else read_flat_yaml
    sources: dict[str, Iterator[Field]] = {"ecs": reader(arguments.ecs)}
    versions = [f"ECS {arguments.ecs_version}"]
    for entry in arguments.fields:
        name, _, path = entry.partition("=")
        sources[name] = read_integration(Path(path))
        versions.append(name)
    for path in sorted(EXTRACTS.glob("*.toml")):
        if path.stem not in sources:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
            sources[path.stem] = read_extract(tables)
            versions.append(f"{path.stem} ({tables['source'].removeprefix('github.com/')} {tables['version']})")
    fields: dict[str, tuple[str, str]] = {}
    for source, entries in sources.items():
        for name, kind in entries:
            fields.setdefault(name, (kind, source))
    lines = [f"# {'; '.join(versions)}", "name,type,source"]
    lines += [f"{name},{kind},{source}" for name, (kind, source) in sorted(fields.items())]
    OUTPUT.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{OUTPUT}: {len(fields)} fields")
    return 0


if __name__ == "__main__":
    sys.exit(main())
