"""The month written down: every figure in it, nothing of a name taken for markup, nothing fetched from anywhere."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ds01.cli.report.charts import by_day, by_user
from ds01.cli.report.markdown import markdown
from ds01.cli.report.page import page
from ds01.cli.report.sections import RULES
from ds01.cli.report.sheet import HEADING, sheet
from ds01.domain.lifecycle.case import Rule
from ds01.domain.record import replace
from ds01.wire.report import DayView, NoticeLine, ReportView, WaitLine
from ds01.wire.usage import ConsumptionLine
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Daemon

HOSTILE = '<script>alert("x")</script>|&*`'


def line(user: str, hours: float = 0.0, wh: float = 0.0, project: str = "") -> ConsumptionLine:
    return ConsumptionLine(
        user=user, project=project, running_hours=hours, gpu_hours=hours, gpueq_hours=hours, cpu_hours=hours * 3,
        memory_gib_hours=hours * 8, energy_wh=wh, co2_g=wh * 0.4,
    )  # fmt: skip


def month(*, users: tuple[ConsumptionLine, ...] | None = None) -> ReportView:
    """A month of two users."""
    users = users or (line("anna", 120, 30_000), line("ben@lab.lan", 12.5, 4000), line("(idle)", 0, 9000))
    projects = tuple(replace(each, project="" if each.user.startswith("(") else "thesis") for each in users)
    total = line("", sum(each.gpueq_hours for each in users), sum(each.energy_wh for each in users))
    days = tuple(
        DayView(day=f"2026-11-{day:02}", gpueq_hours=day / 2, used_wh=day * 70.0, idle_wh=300.0, unattributed_wh=0.0)
        for day in range(1, 31)
    )
    waits = (WaitLine(user="anna", at_once=9, waited=2, median_seconds=600, longest_seconds=5400, gave_up=1),)
    return ReportView(
        server="lab", month="2026-11", first="2026-11-01", last="2026-11-30", complete=True, simulated_gpus=False,
        possible_gpu_hours=2880.0, co2_g_per_kwh=400.0, total=total, users=users, projects=projects, days=days,
        waits=waits, all_waits=replace(waits[0], user=""),
        notices=(NoticeLine(rule="idle", warned=7, acted=3, undelivered=1, users=2),),
    )  # fmt: skip


class Reader(HTMLParser):
    """What a browser would find: elements, what they fetch, the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [
            f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "data", "xlink:href", "action")
        ]
        assert not any(name.startswith("on") for name, _ in attrs), tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_needs_nothing_from_anywhere() -> None:
    found = Reader(page(month()))
    assert found.fetched == []
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert "url(" not in page(month())
    assert "@import" not in page(month())
    assert "default-src 'none'" in page(month())


def test_a_name_is_never_markup() -> None:
    evil = month(users=(line(HOSTILE, 5, 10), line("(idle)", 0, 10)))
    found = Reader(page(evil))
    assert "script" not in found.tags
    assert HOSTILE in "".join(found.text).replace("\n", "")
    assert "<script" not in page(evil)
    row = next(each for each in markdown(evil).splitlines() if "alert" in each)
    assert len(re.findall(r"(?<!\\)\|", row)) == len(
        re.findall(r"(?<!\\)\|", markdown(evil).split("## By user")[1].splitlines()[4])
    )
    assert "\\<script\\>" in row


def test_every_figure_is_in_the_text_and_on_the_page() -> None:
    text, found = markdown(month()), " ".join(Reader(page(month())).text)
    for figure in (
        "anna", "ben@lab.lan", "120.0h", "30.0kWh", "12.0kg", "360.0h", "960.0GiBh", "10m", "1h30m", "43.0kWh",
        "5%", "79%", "2026-11-30", "did nothing",
    ):  # fmt: skip
        assert figure in found, figure
        assert figure.replace("_", "\\_") in text, figure
    assert "(idle)" in text
    assert "| all | 132.5h | 132.5h | 132.5h | 397.5h |" in text


def test_charts_are_drawings_that_say_their_values() -> None:
    for drawn in (by_day(month()), by_user(month())):
        figures = ElementTree.fromstring(f"<all>{drawn}</all>").findall("figure")
        assert figures
        for figure in figures:
            bars = figure.findall(".//rect")
            assert all(bar.find("title") is not None for bar in bars)
            assert all(float(bar.attrib["height"]) > 0 and float(bar.attrib["y"]) >= 0 for bar in bars)
    assert "2026-11-30, used: 2.1kWh" in by_day(month())
    assert "ben@lab.lan: 12.5h" in by_user(month())


def test_many_users_are_summed_up_below_the_chart() -> None:
    many = month(users=tuple(line(f"user{number}", 100 - number, 1) for number in range(40)))
    assert "28 more" in by_user(many)


def test_a_month_without_anything_is_a_page_too() -> None:
    nothing = replace(
        month(), users=(), projects=(), days=(), waits=(), notices=(), total=line(""), possible_gpu_hours=0.0,
        all_waits=WaitLine(user="", at_once=0, waited=0, median_seconds=0, longest_seconds=0, gave_up=0),
    )  # fmt: skip
    assert "In short" in page(nothing)
    assert "By user" not in markdown(nothing)
    assert sheet(nothing).strip() == ",".join(HEADING)
    idle = replace(nothing, days=(DayView(day="2026-11-01", gpueq_hours=0, used_wh=0, idle_wh=0, unattributed_wh=0),))
    assert "<svg" in page(idle)


def test_what_is_not_over_or_not_real_is_said_first() -> None:
    early = replace(month(), complete=False, simulated_gpus=True, last="2026-11-09")
    for text in (markdown(early), page(early)):
        assert text.index("simulated") < text.index("In short")
        assert text.index("not over") < text.index("In short")


def test_the_table_for_programs_has_plain_figures_and_sums_to_the_total() -> None:
    rows = list(csv.DictReader(io.StringIO(sheet(month()))))
    assert sum(float(row["energy_wh"]) for row in rows) == month().total.energy_wh
    assert {row["user"] for row in rows} == {"anna", "ben@lab.lan", "(idle)"}
    formula = sheet(month(users=(line("=1+1", 1, 1),)))
    assert ",'=1+1," in formula


@pytest.mark.parametrize(("form", "begins"), [("md", "# lab"), ("csv", "month,user"), ("html", "<!doctype html>")])
def test_ds01_admin_report_writes_each_form(ds01: Run, daemon: Daemon, tmp_path: Path, form: str, begins: str) -> None:
    daemon.answers["GET", "/v1/admin/report"] = month()
    file = tmp_path / "november"
    words = ("admin", "report", "--month", "2026-11", "--format", form)
    assert ds01(*words, "--to", str(file), "--dry-run").code == 0
    assert not file.exists()
    assert ds01(*words, "--to", str(file)).code == 0
    assert file.read_text().startswith(begins)
    assert file.stat().st_mode & 0o777 == 0o600
    assert ds01(*words).out == file.read_text()
    assert daemon.asked[-1].query == {"month": "2026-11"}


def test_ds01_admin_report_is_markdown_and_json(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["GET", "/v1/admin/report"] = month()
    assert ds01("admin", "report").out == markdown(month())
    assert json.loads(ds01("admin", "report", "--json").out)["month"] == "2026-11"
    assert ds01("admin", "report", "--format", "pdf").code == 2


def test_every_rule_that_people_are_told_of_has_its_words() -> None:
    assert set(RULES) == {rule.value for rule in Rule}
