"""The names of severities. Alone, because results are sorted by them where no rule is loaded."""

from __future__ import annotations

SEVERITIES = ("low", "medium", "high", "critical")
"""As `rules.Severity` has them, least first."""
