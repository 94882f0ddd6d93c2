"""The package over recordings that lie outside the project: verdict cases, the lab, ordinary transactions."""

from __future__ import annotations

import csv

import pytest

from contraband.detection.packages import load_package
from contraband.detection.scan import Prepared, alerts, prepare
from shared import shared_path

# Removing a package with no script of its own that fetches anything; its other half, the installation, is a case.
QUIET_IN_THE_LAB = ("deb-sh-purge", "benign")


@pytest.fixture(scope="module")
def package() -> Prepared:
    return prepare(load_package())


def _loud(package: Prepared, path: str) -> list[str]:
    return [
        f"{alert['kibana.alert.rule.name']}: {alert.get('process.command_line')}"
        for alert in alerts(package, [path])
        if alert["kibana.alert.severity"] != "low" and "kibana.alert.group.index" not in alert
    ]


def test_verdicts(package: Prepared) -> None:
    folder = shared_path("telemetry/verdicts")
    with (folder / "verdicts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wrong = []
    for row in rows:
        found = _loud(package, str(folder / f"{row['case']}.ndjson"))
        if bool(found) != (row["verdict"] == "alert"):
            wrong.append((row["case"], found))
    assert wrong == []
    assert len(rows) >= 69


@pytest.mark.parametrize("naming", ["defend_old", "defend_new", "sysmon_linux", "auditd"])
def test_lab(package: Prepared, naming: str) -> None:
    wrong = []
    paths = sorted(shared_path("telemetry/linux-lab").glob(f"*.{naming}.ndjson*"))
    for path in paths:
        quiet = path.name.startswith(QUIET_IN_THE_LAB)
        found = _loud(package, str(path))
        if bool(found) == quiet:
            wrong.append((path.name, found))
    assert wrong == []
    assert len(paths) >= 19


@pytest.mark.parametrize("naming", ["defend_old", "defend_new", "sysmon_linux", "auditd"])
def test_ordinary_transactions_are_quiet(package: Prepared, naming: str) -> None:
    paths = sorted(shared_path("telemetry/baseline-linux").glob(f"*.{naming}.ndjson.gz"))
    assert len(paths) == 34
    assert [(path.name, found) for path in paths if (found := _loud(package, str(path)))] == []
