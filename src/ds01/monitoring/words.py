"""The words of the description: what is recorded, what is worth waking somebody for, what is drawn."""

from __future__ import annotations

from ds01.domain.record import record


@record
class Recording:
    """A figure that Prometheus works out again and again and keeps under a name of its own, with these labels."""

    name: str
    expression: str
    meaning: str
    labels: tuple[str, ...] = ()


@record
class Alert:
    """What somebody should look at. ``lasting`` is how long it must be so; ``todo`` what to do about it.

    ``severity`` is critical (now), warning (today) or info (some time).
    """

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str
    todo: str


@record
class Query:
    """One thing a panel draws. ``legend`` may name labels: ``GPU {{slot}}``."""

    expression: str
    legend: str = ""


@record
class Panel:
    """One picture. ``kind`` is Grafana's word (stat, timeseries, bargauge, table), ``width`` is in 24ths.

    ``steps`` are the values from which on it is yellow, and red.
    """

    title: str
    about: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    stacked: bool = False
    most: float | None = None
    steps: tuple[float, float] | None = None


@record
class Variable:
    """What whoever looks may choose: the values of a label of a metric."""

    name: str
    metric: str
    label: str


@record
class Board:
    """One dashboard. ``uid`` is its name in addresses; it stays the same over versions."""

    uid: str
    title: str
    about: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = ()
