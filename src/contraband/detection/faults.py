"""What may be wrong with what a user gives beside rules. Alone, because it is caught where nothing else of rules is loaded."""

from __future__ import annotations


class InvalidException(Exception):
    """An exception item that cannot be applied: which one, and why."""
