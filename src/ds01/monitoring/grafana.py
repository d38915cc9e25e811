"""The dashboards in Grafana's language: one JSON file each, for its provisioning folder or its import page.

Panels are laid out from left to right in rows as high as their kind needs. The source of data is a variable, so a
dashboard works whatever the Prometheus of a lab is called.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ds01.monitoring.boards import BOARDS
from ds01.monitoring.words import Board, Panel, Variable

SCHEMA = 38
COLUMNS = 24
HIGH = {"stat": 4}
HEIGHT = 8
SOURCE = {"type": "prometheus", "uid": "${source}"}


def files() -> dict[str, str]:
    """The files by name."""
    return {f"{board.uid}.json": json.dumps(_board(board), indent=2) + "\n" for board in BOARDS}


def _board(board: Board) -> dict[str, Any]:
    return {
        "uid": board.uid, "title": board.title, "description": board.about, "tags": ["ds01"], "editable": False,
        "schemaVersion": SCHEMA, "refresh": "30s", "time": {"from": "now-24h", "to": "now"}, "timezone": "browser",
        "links": [_others()], "templating": {"list": [_source(), *map(_variable, board.variables)]},
        "panels": list(_placed(board.panels)),
    }  # fmt: skip


def _placed(panels: Iterable[Panel]) -> Iterator[dict[str, Any]]:
    x = y = row = 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y, row = 0, y + row, 0
        high = HIGH.get(panel.kind, HEIGHT)
        yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": high})
        x, row = x + panel.width, max(row, high)


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + index), "expr": query.expression, "legendFormat": query.legend, "datasource": SOURCE,
         "instant": panel.kind in ("stat", "bargauge")}
        for index, query in enumerate(panel.queries)
    ]  # fmt: skip
    return {
        "id": number, "title": panel.title, "description": panel.about, "type": panel.kind, "gridPos": place,
        "datasource": SOURCE, "targets": targets, "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }  # fmt: skip


def _defaults(panel: Panel) -> dict[str, Any]:
    found: dict[str, Any] = {"unit": panel.unit, "min": 0, "thresholds": _thresholds(panel)}
    if panel.most is not None:
        found["max"] = panel.most
    if panel.steps is not None and panel.kind != "timeseries":
        found["color"] = {"mode": "thresholds"}
    if panel.stacked:
        found["custom"] = {"stacking": {"mode": "normal"}, "fillOpacity": 30}
    return found


def _thresholds(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    for colour, value in zip(("yellow", "red"), panel.steps or (), strict=False):
        steps.append({"color": colour, "value": value})
    return {"mode": "absolute", "steps": steps}


def _options(panel: Panel) -> dict[str, Any]:
    last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    match panel.kind:
        case "stat":
            named = any("{{" in query.legend for query in panel.queries)
            return {"reduceOptions": last, "textMode": "value_and_name" if named else "value"}
        case "bargauge":
            return {"reduceOptions": last, "orientation": "horizontal", "displayMode": "basic"}
        case _:
            return {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name, "type": "query", "datasource": SOURCE, "refresh": 2, "sort": 1, "multi": True,
        "query": f"label_values({variable.metric}, {variable.label})", "includeAll": True, "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }  # fmt: skip


def _others() -> dict[str, Any]:
    return {"title": "DS01", "type": "dashboards", "tags": ["ds01"], "asDropdown": False, "keepTime": True}
