"""Rules and pictures name what ds01d really says: a metric or a label that is not exported is found here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from ds01.cli import tree
from ds01.cli.command import Command
from ds01.monitoring import grafana, prometheus
from ds01.monitoring.alerts import ALERTS
from ds01.monitoring.boards import BOARDS
from ds01.monitoring.rules import RULES
from ds01.monitoring.words import Board
from ds01.services.metrics import exposition
from ds01.sim.script import Load
from tests.server import ALICE, BOB, SimServer

LANGUAGE = {
    "sum", "avg", "max", "by", "on", "and", "or", "time", "rate", "increase", "absent", "avg_over_time",
}  # fmt: skip
"""Words of Prometheus' language that are used; anything else is a name."""
SELECTOR = re.compile(r"([a-z_][a-z0-9_:]*)\{([^}]*)\}")
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
WORD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_:]*")
RECORDED = {rule.name: set(rule.labels) for rule in RULES}

Exported = dict[str, set[str]]


@pytest.fixture
async def exported(server: SimServer) -> Exported:
    """Every name ds01d says, with its labels: while somebody works and somebody waits."""
    await server.launch(BOB)
    server.devices.set_load("0", Load(utilisation=0.5, memory_used_bytes=2**30))
    await server.live(2)
    found: Exported = {}
    for line in (await exposition(server.world, people=True)).splitlines():
        if not line.startswith("#"):
            name, _, rest = re.sub(r"\{\}", "", line).partition("{")
            found.setdefault(name.split(" ")[0], set()).update(re.findall(r'([a-z_]+)="', rest))
    return found


def expressions() -> Iterator[tuple[str, str, str]]:
    """Where it stands, the expression, and the legend it is drawn with."""
    yield from ((rule.name, rule.expression, "") for rule in RULES)
    yield from ((alert.name, alert.expression, alert.summary) for alert in ALERTS)
    for board in BOARDS:
        for panel in board.panels:
            yield from ((f"{board.uid}: {panel.title}", query.expression, query.legend) for query in panel.queries)


EVERY = list(expressions())
every_expression = pytest.mark.parametrize(("where", "expression", "legend"), EVERY, ids=[each[0] for each in EVERY])


def named(expression: str) -> set[str]:
    """The metrics an expression names."""
    bare = re.sub(r'"[^"]*"', "", expression)
    bare = GROUPED.sub("", re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare))
    return {word for word in WORD.findall(bare) if word not in LANGUAGE}


def unknown(expression: str, legend: str, exported: Exported) -> set[str]:
    """What an expression and its legend name that nobody says."""
    known = exported | RECORDED
    wrong = named(expression) - known.keys()
    for metric, selected in SELECTOR.findall(expression):
        labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', "", selected)))
        wrong |= {f"{metric}: {label}" for label in labels - known.get(metric, labels)}
    mentioned: set[str] = set().union(*(known.get(name, set()) for name in named(expression)))
    grouped = {label.strip() for group in GROUPED.findall(expression) for label in group.split(",") if label.strip()}
    wrong |= grouped - mentioned
    left = grouped if re.search(r"\bby\b", expression) else mentioned
    legend_labels = {*re.findall(r"\{\{([a-z]+)\}\}", legend), *re.findall(r"\$labels\.([a-z]+)", legend)}
    return wrong | {f"legend: {label}" for label in legend_labels - left}


@every_expression
def test_what_is_asked_for_is_exported(exported: Exported, where: str, expression: str, legend: str) -> None:
    assert unknown(expression, legend, exported) == set()


@pytest.mark.parametrize(
    ("expression", "legend", "wrong"),
    [
        ("sum(ds01_slot)", "", {"ds01_slot"}),
        ('ds01_slots{kind="free"}', "", {"ds01_slots: kind"}),
        ("sum by (slots) (ds01_slots)", "", {"slots"}),
        ("sum by (state) (ds01_slots)", "{{gpu}}", {"legend: gpu"}),
        ("ds01_leases and on (slot) ds01:no_such:rule", "", {"ds01:no_such:rule", "slot"}),
        ("avg(ds01_slot_utilisation and on (slot) ds01_slot_leased == 1)", "", set()),
    ],
)
def test_a_name_that_nobody_says_is_noticed(exported: Exported, expression: str, legend: str, wrong: set[str]) -> None:
    assert unknown(expression, legend, exported) == wrong


def test_every_figure_that_is_recorded_is_used() -> None:
    used = set().union(*(named(expression) for where, expression, _ in EVERY if where not in RECORDED))
    assert RECORDED.keys() - used == set()


def test_what_one_may_choose_by_is_exported(exported: Exported) -> None:
    for board in BOARDS:
        for variable in board.variables:
            assert variable.label in exported[variable.metric]
            assert any(f"${variable.name}" in query.expression for panel in board.panels for query in panel.queries)


def test_an_alert_says_what_to_do() -> None:
    for alert in ALERTS:
        assert alert.severity in ("critical", "warning", "info")
        assert alert.summary.endswith(".")
        assert len(alert.todo) > 30
        for typed in re.findall(r"ds01((?: [a-z]+)+)", alert.todo):
            assert isinstance(tree.find(typed.split()).entry, Command), typed
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


@pytest.mark.parametrize("board", BOARDS, ids=[board.uid for board in BOARDS])
def test_panels_neither_overlap_nor_leave_the_page(board: Board) -> None:
    files = grafana.files()
    written = json.loads(files[f"{board.uid}.json"])
    taken: set[tuple[int, int]] = set()
    for panel in written["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= grafana.COLUMNS
        squares = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not squares & taken, panel["title"]
        taken |= squares
    assert len({panel["id"] for panel in written["panels"]}) == len(written["panels"])
    assert all(panel["description"] and panel["targets"] for panel in written["panels"])


def test_there_is_a_dashboard_for_each_question() -> None:
    assert set(grafana.files()) == {f"ds01-{name}.json" for name in ("overview", "users", "gpus", "health")}
    assert set(prometheus.files()) == {"ds01-rules.yml", "ds01-alerts.yml"}


async def test_users_are_named_only_when_an_admin_asks(server: SimServer) -> None:
    await server.launch(ALICE)
    await server.live(2)
    assert "alice" not in await exposition(server.world)
    told = (await exposition(server.world, people=True)).splitlines()
    assert 'ds01_user_gpus{user="alice"} 1' in told
    assert 'ds01_user_gpu_seconds_total{user="alice"} 105' in told
