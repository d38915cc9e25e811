"""A container, from what the engine tells of it."""

from __future__ import annotations

from typing import Any

import pytest

from ds01.adapters.docker.read import inspected

NEVER = "0001-01-01T00:00:00Z"
TOLD: dict[str, Any] = {
    "Id": "a" * 64, "Name": "/f2._.1001", "Image": "sha256:0", "Created": "2026-03-02T09:00:00.123456789Z",
    "Mounts": [], "Config": {"Labels": {}}, "HostConfig": {},
    "State": {"Running": True, "Paused": False, "StartedAt": "2026-03-02T09:00:01Z", "FinishedAt": NEVER,
              "ExitCode": 0, "OOMKilled": False},
}  # fmt: skip


@pytest.mark.parametrize(("host", "goes"), [({}, False), ({"AutoRemove": False}, False), ({"AutoRemove": True}, True)])
def test_whether_the_engine_removes_it_with_its_end(host: dict[str, bool], goes: bool) -> None:
    assert inspected({**TOLD, "HostConfig": host}).auto_remove is goes
