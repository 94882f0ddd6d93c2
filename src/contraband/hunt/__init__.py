"""Hunts: queries that ask a question, their results grouped and ranked by rarity."""

from contraband.hunt.hunts import Found, Group, Hunt, load_hunts, run_hunt

__all__ = ["Found", "Group", "Hunt", "load_hunts", "run_hunt"]
