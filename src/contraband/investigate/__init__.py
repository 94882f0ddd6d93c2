"""What an analyst does with an alert: the playbook and the guide, filled in."""

from contraband.investigate.guide import fill, render_guide, render_playbook

__all__ = ["fill", "render_guide", "render_playbook"]
