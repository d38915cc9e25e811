"""The walls of a container, from what the engine tells of it."""

from __future__ import annotations

from typing import Any

import pytest

from ds01.adapters.docker.read import confinement


@pytest.mark.parametrize(
    ("bindings", "published"),
    [
        (None, ()), ({}, ()), ({"80/tcp": None}, ()), ({"80/tcp": [{"HostIp": "", "HostPort": "80"}]}, ()),
        ({"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "81/tcp": [{"HostPort": ""}]}, ()),
        ({"80/tcp": [{"HostIp": "127.0.0.1"}, {"HostIp": "10.20.0.5"}], "81/udp": [{"HostIp": "0.0.0.0"}],
          "82/tcp": [{"HostIp": "10.20.0.5"}]}, ("10.20.0.5", "0.0.0.0")),
        ({"80/tcp": [{"HostIp": "::"}]}, ("::",)),
    ],
)  # fmt: skip
def test_d12_addresses_on_which_it_publishes(bindings: Any, published: tuple[str, ...]) -> None:
    assert confinement({"PortBindings": bindings}, ()).published == published
