"""The rules in Prometheus' language: two files, one of what is recorded and one of what is alerted.

Texts are written as JSON strings, which YAML reads as they are; so nothing of a text can be taken for YAML.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from ds01.monitoring.alerts import ALERTS
from ds01.monitoring.rules import RULES
from ds01.monitoring.words import Alert, Recording

_HEAD = "# Written by 'ds01 admin metrics rules'. It is written anew with each version: put your own rules elsewhere.\n"


def files() -> dict[str, str]:
    """The files by name."""
    return {
        "ds01-rules.yml": _file("ds01-recorded", map(_recording, RULES)),
        "ds01-alerts.yml": _file("ds01-alerts", map(_alert, ALERTS)),
    }


def _file(group: str, rules: Iterable[str]) -> str:
    return f"{_HEAD}groups:\n  - name: {group}\n    rules:\n{''.join(rules)}"


def _recording(rule: Recording) -> str:
    return f"      # {rule.meaning}\n      - record: {rule.name}\n        expr: {json.dumps(rule.expression)}\n"


def _alert(alert: Alert) -> str:
    return (
        f"      - alert: {alert.name}\n        expr: {json.dumps(alert.expression)}\n        for: {alert.lasting}\n"
        f"        labels:\n          severity: {alert.severity}\n"
        f"        annotations:\n          summary: {json.dumps(alert.summary)}\n"
        f"          description: {json.dumps(alert.todo)}\n"
    )
