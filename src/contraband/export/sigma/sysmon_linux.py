"""A pySigma pipeline for Sysmon for Linux in Splunk: pySigma's own binds Windows only, and without one a search would run over every event.

Source: the Splunk add-on for Sysmon for Linux (source `Syslog:Linux-Sysmon/Operational`, `EventID`), https://splunkbase.splunk.com/app/6652.
"""

from __future__ import annotations

from sigma.processing.conditions import LogsourceCondition
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import AddConditionTransformation

# Log source and the event of Sysmon for Linux that it is.
EVENTS = {"process_creation": 1, "network_connection": 3, "file_event": 11}


def sysmon_linux_pipeline() -> ProcessingPipeline:
    """Adds source and event to rules of Linux."""
    items = [
        ProcessingItem(
            AddConditionTransformation({"source": "Syslog:Linux-Sysmon/Operational", "EventID": event}),
            rule_conditions=[LogsourceCondition(category=category, product="linux")],
        )
        for category, event in EVENTS.items()
    ]
    return ProcessingPipeline(name="Sysmon for Linux in Splunk", priority=10, items=items)
