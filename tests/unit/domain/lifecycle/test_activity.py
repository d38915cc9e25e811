"""The truth table of idling: what counts as doing something, and what does not."""

from __future__ import annotations

import pytest

from ds01.domain.lifecycle.activity import UNKNOWN, Reading, busy_with
from ds01.domain.settings import IdleRule

RULE = IdleRule()
LOOK = 15.0
MIB = 1024**2


def look(gpu: float | None = 0.0, cpu: float | None = 0.0, network: int | None = 0, memory: int = 0) -> Reading:
    return Reading(seconds=LOOK, gpu=gpu, cpu=cpu, network_bytes=network, gpu_memory_bytes=memory)


@pytest.mark.parametrize(
    ("what", "reading", "busy"),
    [
        ("an idle Jupyter with kernels loaded", look(gpu=0.0, cpu=0.004, network=900, memory=12 * 1024 * MIB), ""),
        ("training at 30 %", look(gpu=0.3), "GPU 30%"),
        ("a download", look(cpu=0.01, network=40 * MIB), "network 40M within the window"),
        ("loading and augmenting data", look(cpu=0.4), "CPU 40%"),
        ("a debugger that holds GPU memory", look(memory=30 * 1024 * MIB), ""),
        ("an unknown GPU counter", look(gpu=None), UNKNOWN),
        ("an unknown CPU counter", look(cpu=None), UNKNOWN),
        ("an unknown network counter", look(network=None), UNKNOWN),
        ("a loop that keeps the GPU at 100 %", look(gpu=1.0), "GPU 100%"),
        ("a service that only talks", look(cpu=0.01, network=2 * MIB), "network 2M within the window"),
        ("just below every mark", look(gpu=0.049, cpu=0.019, network=MIB // 50), ""),
        ("exactly on the mark of the GPU", look(gpu=0.05), "GPU 5%"),
    ],
)
def test_what_counts_as_doing_something(what: str, reading: Reading, busy: str) -> None:
    assert busy_with([reading], RULE) == busy, what


def test_the_network_counts_by_the_window() -> None:
    """Thirty kilobytes a look are two megabytes in ten minutes, and a single page is nothing."""
    trickle = [look(network=30 * 1024)] * 40
    assert busy_with(trickle, RULE) == "network 1.2M within the window"
    assert busy_with([*[look()] * 39, look(network=500 * 1024)], RULE) == ""


def test_idling_begins_when_the_download_ends() -> None:
    assert busy_with([look(network=400 * MIB), look()], RULE) == ""


def test_what_moved_before_the_window_does_not_count() -> None:
    past = [look(network=400 * MIB), *[look()] * 40]
    assert busy_with([*past, look(network=40 * 1024)], RULE) == ""


def test_without_a_look_nothing_is_known() -> None:
    assert busy_with([], RULE) == UNKNOWN
