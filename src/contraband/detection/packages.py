"""The detection packages that ship with contraband, and what `--rules` may name: a package, a part of it, a rule, a path.

Knows where content lies; what the files mean is known by the modules that read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from contraband.detection import material
from contraband.detection.material import package_ids
from contraband.detection.rules import Loaded, joined, load, load_file

__all__ = [
    "DEFAULT_PACKAGE",
    "UnknownRules",
    "content_path",
    "load_many",
    "load_named",
    "load_package",
    "load_published",
    "package_ids",
    "package_path",
    "rule_folders",
    "samples_path",
]

DEFAULT_PACKAGE = "T1546.016"


class UnknownRules(Exception):
    """What was named is no path, no package and no rule."""


def content_path() -> Path:
    """The folder of shipped content."""
    return Path(material.CONTENT)


def samples_path() -> Path:
    """The telemetry that the demonstration and the examples run on."""
    return content_path() / "samples"


def package_path(package: str) -> Path:
    """The folder of a package, in any case of letters; `UnknownRules` if there is none."""
    for known in package_ids():
        if known.lower() == package.lower():
            return content_path() / known
    raise UnknownRules(f"no package `{package}`; there is {', '.join(package_ids()) or 'none'}")


def rule_folders(package: str) -> Iterator[Path]:
    """The folders of a package's own rules, in byte order of their names. The published rule is not among them."""
    return map(Path, material.rule_folders(package_path(package).name))


def load_package(package: str = DEFAULT_PACKAGE) -> Loaded:
    """The package's own rules."""
    return joined(load_file(folder / "rule.toml") for folder in rule_folders(package))


def load_published(package: str = DEFAULT_PACKAGE) -> Loaded:
    """The rule as published, alone."""
    return load_file(package_path(package) / "published" / "rule.toml")


def load_named(name: str) -> Loaded:
    """The rules that a name stands for: a file or folder, `T1546.016`, `T1546.016/published`, `T1546.016/RULE` or a rule's name or id.

    `UnknownRules` says what would be accepted; OSError if a path cannot be read.
    """
    path = Path(name)
    if path.exists():
        return load(path)
    package, _, part = name.partition("/")
    if package.lower() in map(str.lower, package_ids()):
        if not part:
            return load_package(package)
        if part == "published":
            return load_published(package)
        return _by_name(part, (package,), name)
    return _by_name(name, package_ids(), name)


def load_many(names: Iterable[str]) -> Loaded:
    """Everything that several names stand for, together."""
    return joined([load_named(name) for name in names])


def _by_name(wanted: str, packages: Iterable[str], given: str) -> Loaded:
    loaded = joined(part for package in packages for part in (load_package(package), _published_or_nothing(package)))
    for rule in loaded.rules:
        if wanted in (rule.slug, rule.id) or wanted.lower() == rule.name.lower():
            return Loaded(rules=(rule,))
    import difflib

    names = [rule.slug for rule in loaded.rules] + list(package_ids())
    close = difflib.get_close_matches(wanted, names, n=1)
    hint = f"; a similar name exists: `{close[0]}`" if close else f"; the package is {', '.join(package_ids())}"
    raise UnknownRules(f"`{given}` is no file, no folder, no package and no rule of one{hint}")


def _published_or_nothing(package: str) -> Loaded:
    return load_published(package) if (package_path(package) / "published" / "rule.toml").exists() else Loaded()
