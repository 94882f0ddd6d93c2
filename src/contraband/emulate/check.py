"""A recording of an emulation's run held against what it must show: the signals, the package's verdict, the published rule's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contraband.detection.packages import load_package, load_published
from contraband.detection.rules import Loaded, Severity
from contraband.detection.scan import alerts, prepare
from contraband.emulate.atomic import Emulation
from contraband.emulate.signals import SignalResult, check_signals


@dataclass(frozen=True, slots=True)
class Checked:
    """What a recording shows of one emulation."""

    emulation: Emulation
    signals: tuple[SignalResult, ...]
    alerts: int  # of the package, of any severity
    severity: Severity | None  # the highest of them; None without an alert
    published: bool  # whether the published rule fires

    @property
    def as_expected(self) -> bool:
        """Whether the package alerts as it must: at least at the stated severity; for `none`, below medium."""
        if self.emulation.verdict == "none":
            return self.severity is None or self.severity.rank < Severity.MEDIUM.rank
        return self.severity is not None and self.severity.rank >= Severity(self.emulation.verdict).rank

    @property
    def good(self) -> bool:
        """Whether every signal was seen, and both verdicts are the expected ones."""
        published = self.emulation.published in (None, self.published)
        return self.as_expected and published and all(signal.seen for signal in self.signals)


def check_recording(emulation: Emulation, paths: Sequence[str]) -> Checked:
    """Read a recording (files, folders, any source) for an emulation's signals and the rules' alerts. Raises `SearchError`."""
    ours = _severities(load_package(emulation.technique), paths)
    return Checked(
        emulation,
        check_signals(emulation.signals, paths),
        len(ours),
        max(ours, key=lambda severity: severity.rank, default=None),
        bool(_severities(load_published(emulation.technique), paths)),
    )


def _severities(loaded: Loaded, paths: Sequence[str]) -> list[Severity]:
    return [Severity(alert["kibana.alert.severity"]) for alert in alerts(prepare(loaded), paths)]
