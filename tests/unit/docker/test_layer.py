"""Files of a container that an engine keeps where DS01 cannot read them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from ds01.adapters.docker.engine import DockerEngine
from ds01.domain.container import ContainerId
from ds01.domain.errors import Ds01Error


class Elsewhere:
    """An engine of this version with another driver for containers."""

    def __init__(self, version: str) -> None:
        self._version = version
        self.asked: list[str] = []

    async def json(self, method: str, path: str) -> dict[str, Any]:
        driver = {"CgroupDriver": "systemd", "GraphDriver": {"Name": "vfs", "Data": None}}
        return {"Version": self._version, "ApiVersion": "1.41", **driver}

    async def pieces(self, path: str, params: dict[str, str]) -> AsyncGenerator[bytes, None]:
        self.asked.append(path)
        yield b"an archive"


@pytest.mark.parametrize(
    ("version", "asked"), [("20.10.24", []), ("29.5.0", []), ("29.5.1", ["containers/abc/archive"])]
)
async def test_e36_an_engine_that_can_be_led_astray_is_not_asked_for_files(
    monkeypatch: pytest.MonkeyPatch, version: str, asked: list[str]
) -> None:
    port, elsewhere = DockerEngine("unix:///no/engine"), Elsewhere(version)
    monkeypatch.setattr(port, "_http", elsewhere)
    reading = port.read_layer(ContainerId("abc"), "/etc/told")
    if asked:
        assert [piece async for piece in reading] == [b"an archive"]
    else:
        with pytest.raises(Ds01Error) as refused:
            await anext(reading)
        assert refused.value.problem.hint == "Start it and use ds01 cp"
    assert elsewhere.asked == asked
