"""Prometheus itself reads the rules, and tells which alerts come when: each comes when it should, and not before."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ds01.monitoring import prometheus
from ds01.monitoring.alerts import ALERTS
from ds01.monitoring.boards import BOARDS
from ds01.monitoring.rules import RULES

pytestmark = pytest.mark.promtool

Series = dict[str, str]
"""Values by series, in promtool's short form, a minute apart: ``90x10`` is 90 eleven times, ``0+60x10`` grows."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An alert comes at ``at`` with ``series``, and with ``calm`` it does not. ``said`` begins what it says."""

    at: str
    series: Series
    calm: Series
    said: str
    labels: dict[str, str] = field(default_factory=dict)


LOOK = "ds01_last_look_timestamp_seconds"
CASES = {
    "Ds01Silent": Case(at="10m", series={LOOK: "0x20"}, calm={LOOK: "0+60x20"}, said="ds01d has not looked"),
    "Ds01GatewayOnlyWatches": Case(
        at="1m", series={"ds01_gateway_in_force": "1 0x5"}, calm={"ds01_gateway_in_force": "1x5"}, said="The gateway"
    ),
    "Ds01DiskFull": Case(
        at="5m", series={'ds01_disk_free_bytes{place="/var/lib/ds01"}': "536870912x10"},
        calm={'ds01_disk_free_bytes{place="/var/lib/ds01"}': "2147483648x10"},
        said="512MiB are free on the disk of /var/lib/ds01.", labels={"place": "/var/lib/ds01"},
    ),
    "Ds01DiskFillingUp": Case(
        at="20m", said="4% of the disk of /home are free.", labels={"place": "/home"},
        series={'ds01_disk_free_bytes{place="/home"}': "40000000000x20",
                'ds01_disk_total_bytes{place="/home"}': "1000000000000x20"},
        calm={'ds01_disk_free_bytes{place="/home"}': "60000000000x20",
              'ds01_disk_total_bytes{place="/home"}': "1000000000000x20"},
    ),
    "Ds01GpuFault": Case(
        at="5m", series={'ds01_slots_out_of_service{keeper="driver"}': "2x10"},
        calm={'ds01_slots_out_of_service{keeper="driver"}': "0x10", 'ds01_slots_out_of_service{keeper="admin"}': "2x9"},
        said="2 GPUs or instances are out of service (driver).", labels={"keeper": "driver"},
    ),
    "Ds01GpuUsedOutside": Case(
        at="15m", series={'ds01_slots_out_of_service{keeper="process"}': "1x20"},
        calm={'ds01_slots_out_of_service{keeper="process"}': "0x10 1x5"},
        said="Processes outside DS01 use 1 GPUs", labels={"keeper": "process"},
    ),
    "Ds01GpuHot": Case(
        at="10m", series={'ds01_slot_temperature_celsius{slot="0"}': "95x10"},
        calm={'ds01_slot_temperature_celsius{slot="0"}': "89x10"},
        said="GPU 0 has 95 degrees.", labels={"slot": "0"},
    ),
    "Ds01LimitsFileBroken": Case(
        at="10m", series={"ds01_limits_file_sound": "0x10"}, calm={"ds01_limits_file_sound": "1x10"},
        said="The limits file has a mistake",
    ),
    "Ds01WarningsReachNobody": Case(
        at="40m", series={"ds01_notices_undelivered": "3x40"}, calm={"ds01_notices_undelivered": "3x20 0x20"},
        said="3 warnings of a stop",
    ),
    "Ds01QueueWaitsForFreeGpus": Case(
        at="150m", series={"ds01_queue_waiting": "2x150", 'ds01_slots{state="free"}': "1x150"},
        calm={"ds01_queue_waiting": "2x150", 'ds01_slots{state="free"}': "0x150"}, said="2 requests wait",
    ),
    "Ds01QueueLong": Case(
        at="20m", series={"ds01_queue_longest_wait_seconds": "90000+60x20"},
        calm={"ds01_queue_longest_wait_seconds": "80000+60x20"}, said="Somebody has waited for a GPU for 1d 1h",
    ),
    "Ds01GpusLeasedAndIdle": Case(
        at="7h", said="Most GPUs are leased",
        series={'ds01_slots{state="leased"}': "4x420", 'ds01_slots{state="free"}': "0x420",
                'ds01_slot_leased{slot="0"}': "1x420", 'ds01_slot_utilisation{slot="0"}': "0.05x420",
                'ds01_slot_leased{slot="1"}': "0x420", 'ds01_slot_utilisation{slot="1"}': "0.9x420"},
        calm={'ds01_slots{state="leased"}': "4x420", 'ds01_slots{state="free"}': "0x420",
              'ds01_slot_leased{slot="0"}': "1x420", 'ds01_slot_utilisation{slot="0"}': "0.5x420"},
    ),
}  # fmt: skip


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The files in a folder."""
    for name, text in prometheus.files().items():
        (tmp_path / name).write_text(text)
    return tmp_path


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)


def tried(folder: Path, **test: Any) -> subprocess.CompletedProcess[str]:
    """promtool's judgement of one test."""
    file = folder / "test.yml"
    whole = {
        "rule_files": sorted(prometheus.files()),
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m"} | test],
    }
    file.write_text(json.dumps(whole))
    return promtool("test", "rules", file)


def series(values: Series) -> list[dict[str, str]]:
    return [{"series": name, "values": value} for name, value in values.items()]


def test_prometheus_reads_the_rules(rules: Path) -> None:
    ran = promtool("check", "rules", *sorted(rules.iterdir()))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{len(RULES)} rules found" in ran.stdout
    assert f"{len(ALERTS)} rules found" in ran.stdout


def test_prometheus_reads_what_the_dashboards_ask(tmp_path: Path) -> None:
    asked = [query.expression for board in BOARDS for panel in board.panels for query in panel.queries]
    lines = [{"record": f"asked:{number}", "expr": each.replace("$__range", "1h")} for number, each in enumerate(asked)]
    file = tmp_path / "asked.yml"
    file.write_text(json.dumps({"groups": [{"name": "asked", "rules": lines}]}))
    ran = promtool("check", "rules", file)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_alert_is_tried() -> None:
    assert CASES.keys() == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=[alert.name for alert in ALERTS])
def test_an_alert_comes_when_it_should_and_not_else(rules: Path, alert: Any) -> None:
    case = CASES[alert.name]
    expected = {"alertname": alert.name, "eval_time": case.at}
    quiet = tried(rules, input_series=series(case.calm), alert_rule_test=[{**expected, "exp_alerts": []}])
    assert quiet.returncode == 0, quiet.stdout + quiet.stderr
    loud = tried(rules, input_series=series(case.series), alert_rule_test=[{**expected, "exp_alerts": []}])
    assert loud.returncode == 1
    assert f'alertname="{alert.name}"' in loud.stdout + loud.stderr
    assert f'severity="{alert.severity}"' in loud.stdout + loud.stderr
    assert f'summary="{case.said}' in loud.stdout + loud.stderr
    for label, value in case.labels.items():
        assert f'{label}="{value}"' in loud.stdout + loud.stderr


def test_ds01d_that_never_said_anything_is_silent(rules: Path) -> None:
    ran = tried(rules, input_series=[], alert_rule_test=[{"alertname": "Ds01Silent", "eval_time": "5m"}])
    assert 'alertname="Ds01Silent"' in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("asked", "given", "expected"),
    [
        ("ds01:slots:leased_ratio", {'ds01_slots{state="leased"}': "3x90", 'ds01_slots{state="free"}': "1x90"}, 0.75),
        ("ds01:slot_utilisation:leased_avg", {
            'ds01_slot_utilisation{slot="0"}': "0.5x90", 'ds01_slot_leased{slot="0"}': "1x90",
            'ds01_slot_utilisation{slot="1"}': "0.1x90", 'ds01_slot_leased{slot="1"}': "0x90"}, 0.5),
        ('ds01:gpu_power_watts:rate5m{gpu="0"}', {'ds01_gpu_energy_joules_total{gpu="0"}': "0+18000x90"}, 300),
        ("ds01:energy:unused_ratio1h", {
            'ds01_energy_joules_total{what="used"}': "0+300x90", 'ds01_energy_joules_total{what="idle"}': "0+100x90"},
         0.25),
        ('ds01:user_gpus:rate1h{user="anna"}', {'ds01_user_gpu_seconds_total{user="anna"}': "0+120x90"}, 2),
    ],
)  # fmt: skip
def test_what_is_recorded_is_right(rules: Path, asked: str, given: Series, expected: float) -> None:
    found = {"expr": asked, "eval_time": "80m", "exp_samples": [{"labels": asked, "value": expected}]}
    ran = tried(rules, input_series=series(given), promql_expr_test=[found])
    assert ran.returncode == 0, ran.stdout + ran.stderr
