"""docs/reference/metrics.md: every metric, what is recorded of them, and every alert."""

from __future__ import annotations

from dev.docs import table
from ds01.monitoring.alerts import ALERTS
from ds01.monitoring.rules import RULES
from ds01.services.metrics import METRICS

NAME = "metrics.md"

_HEAD = """\
# Metrics

Written by `make docs` from `src/ds01/services/metrics.py`.

`ds01 admin metrics` prints them in Prometheus' text format; `/v1/metrics` on the socket of ds01d is the same. Counters
begin anew when ds01d starts. Those that name users are there only when an admin asks for them: `--people`, or
`/v1/metrics?people=true`. How to collect them: [monitor with Prometheus and Grafana](../howto/monitor.md).
"""
_RECORDED = """
## What Prometheus works out

`ds01 admin metrics rules` writes these for it.
"""
_ALERTS = """
## Alerts

In the same folder. An alert comes when it has been so for the time given.
"""


def page() -> str:
    """The page."""
    rows = [
        (f"`{metric.name}`", metric.kind, ", ".join(f"`{label}`" for label in metric.labels), metric.meaning)
        for metric in METRICS.values()
    ]
    recorded = [(f"`{rule.name}`", rule.meaning, f"`{rule.expression}`") for rule in RULES]
    alerts = [
        (f"`{alert.name}`", alert.severity, alert.lasting, f"`{alert.expression}`".replace("|", "\\|"), alert.todo)
        for alert in ALERTS
    ]
    return "\n".join(
        [
            _HEAD, *table(("metric", "kind", "labels", "meaning"), rows),
            _RECORDED, *table(("name", "meaning", "from"), recorded),
            _ALERTS, *table(("alert", "severity", "for", "when", "what to do"), alerts), "",
        ]
    )  # fmt: skip
