"""Five hundred streams that say nothing: what they cost the gateway."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Iterator

from dev import tiny
from dev.promises.lab import Student

from bench.gateway import API, Line
from bench.idle import processor_seconds, resident_megabytes
from bench.row import Row
from bench.stage import server

STREAMS = 500
SECONDS = 20.0


def measure() -> Iterator[Row]:
    """Half of them each user's, attached to one container of hers."""
    lab = server()
    program = lab.stack.gateway
    assert program is not None
    before = resident_megabytes(program.pid)
    streams = [stream for student in (lab.ada, lab.ben) for stream in _attached(lab.stack.door, student)]
    assert len(streams) == STREAMS
    time.sleep(2)
    used = processor_seconds(program.pid)
    time.sleep(SECONDS)
    share = (processor_seconds(program.pid) - used) / SECONDS * 100
    after = resident_megabytes(program.pid)
    for stream in streams:
        stream.close()
    for student in (lab.ada, lab.ben):
        student.docker("rm", "--force", "quiet")
    yield Row(
        path=f"gateway, {STREAMS} idle streams: memory",
        ours=after,
        unit="MB",
        rule="≤ 150 MB",
        judged=after,
        budget=150,
    )
    yield Row(
        path=f"gateway, {STREAMS} idle streams: growth", ours=after - before, unit="MB", rule="≤ 50 MB",
        judged=after - before, budget=50,
    )  # fmt: skip
    yield Row(path=f"gateway, {STREAMS} idle streams: core", ours=share, unit="%", rule="≤ 2 %", judged=share, budget=2)


def _attached(door: str, student: Student) -> Iterator[socket.socket]:
    student.docker("run", "--detach", "--name", "quiet", tiny.REFERENCE, "sleep", "100000")
    for _ in range(STREAMS // 2):
        line = Line(door, student.person)
        line.request("POST", f"{API}/containers/quiet/attach?stream=1&stdout=1")
        answer = http.client.HTTPResponse(line.sock)
        answer.begin()
        assert answer.status in (101, 200), answer.status
        yield line.sock
