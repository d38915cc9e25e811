"""What every test may use: an engine of the tests' own, and a clear word about what is left out without one.

``DS01_TESTS_COMPLETE=1`` (CI) turns a test left out for a missing engine or root into a failure, and a run with any
other skipped test as well, and lets chance be asked as often as it should be (``tests/effort.py``).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from dev import engine as own
from dev import engine26 as newer
from hypothesis import HealthCheck, settings

from tests import nvml
from tests.effort import BY_CHANCE, COMPLETE, tries

# The machine may be busy with other things: how long an example takes says nothing about the code.
settings.register_profile(
    "ds01", deadline=None, max_examples=tries(100), derandomize=not BY_CHANCE,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.load_profile("ds01")


# A shell starts its background programs deaf to Ctrl-C, and all they start inherits it: here it is what is tested.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        missing = _missing(item)
        if missing and not COMPLETE:
            item.add_marker(pytest.mark.skip(reason=missing))


def pytest_runtest_setup(item: pytest.Item) -> None:
    missing = _missing(item)
    if missing and COMPLETE:
        pytest.fail(f"{missing}, and this run must be complete", pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not COMPLETE:
        return
    if left_out := reporter.stats.get("skipped", []):
        reporter.write_line(f"\n{len(left_out)} tests were skipped, and this run must be complete", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _missing(item: pytest.Item) -> str:
    if any(item.iter_markers("root")) and os.geteuid() != 0:
        return "left out: needs root"
    if any(item.iter_markers("gcc")) and not nvml.available():
        return "left out: needs gcc, to compile a stand-in for NVIDIA's library"
    if any(item.iter_markers("promtool")) and shutil.which("promtool") is None:
        return "left out: needs Prometheus' promtool"
    if (any(item.iter_markers("engine")) or any(item.iter_markers("e2e"))) and not own.available():
        return "left out: needs root and dockerd"
    return ""


@pytest.fixture(scope="session")
def engine() -> Iterator[own.OwnEngine]:
    """A Docker engine that belongs to this test run. Short path: unix sockets allow 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ds01e", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        running = own.start(Path(folder))
        yield running
        own.stop(running)


@pytest.fixture(scope="session")
def engine26() -> Iterator[own.OwnEngine]:
    """Docker Engine 26 (BuildKit, API 1.45) of this test run's own; made once on this machine, in a minute."""
    if not newer.available():
        pytest.skip("left out: the newer engine needs mmdebstrap and patchelf")
    with tempfile.TemporaryDirectory(prefix="ds01n", dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        running = newer.start(Path(folder))
        yield running
        own.stop(running)


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Event]:
    """The events for which somebody waited, each time one came."""
    found, wait = list[asyncio.Event](), asyncio.Event.wait

    async def noted(event: asyncio.Event) -> Literal[True]:
        came = await wait(event)
        found.append(event)
        return came

    monkeypatch.setattr(asyncio.Event, "wait", noted)
    return found
