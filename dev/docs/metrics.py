"""docs/reference/metrics.md: every metric, its labels and its meaning."""

from __future__ import annotations

from dev.docs import table
from ds01.services.metrics import METRICS

NAME = "metrics.md"

_HEAD = """\
# Metrics

Written by `make docs` from `src/ds01/services/metrics.py`.

`ds01 admin metrics` prints them in Prometheus' text format; `/v1/metrics` on the socket of ds01d is the same. Counters
begin anew when ds01d starts. There are no names of people in them.
"""


def page() -> str:
    """The page."""
    rows = [
        (f"`{metric.name}`", metric.kind, ", ".join(f"`{label}`" for label in metric.labels), metric.meaning)
        for metric in METRICS.values()
    ]
    return "\n".join([_HEAD, *table(("metric", "kind", "labels", "meaning"), rows), ""])
