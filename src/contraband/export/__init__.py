"""Rules written out for other programs: Elastic, Kibana, Sigma and what pySigma translates to, ATT&CK Navigator.

Every exporter gives files or one text, and remarks where something had to be left out: nothing is dropped in silence.
"""

from contraband.export.elastic import export_elastic
from contraband.export.kibana import export_kibana
from contraband.export.navigator import export_navigator
from contraband.export.sigma import PLATFORMS, MissingExtra, export_platform, export_sigma
from contraband.export.source import Exported, Remark, prepared, unplaced

__all__ = [
    "PLATFORMS",
    "Exported",
    "MissingExtra",
    "Remark",
    "export_elastic",
    "export_kibana",
    "export_navigator",
    "export_platform",
    "export_sigma",
    "prepared",
    "unplaced",
]
