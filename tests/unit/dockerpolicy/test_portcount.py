"""How many ports a container publishes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ds01.domain.dockerpolicy.case import Asker, Plan
from ds01.domain.dockerpolicy.create import judge_create
from ds01.domain.dockerpolicy.portcount import published
from ds01.domain.dockerpolicy.strictjson import parse_object
from ds01.domain.dockerpolicy.verdict import RefusedError

EIGHTY = {"80/tcp": [{"HostPort": ""}, {"HostPort": "8080"}]}


def plan(exposed: list[str], **host: Any) -> Plan:
    body = {"Image": "bb", "ExposedPorts": {port: {} for port in exposed}, "HostConfig": host}
    return judge_create(parse_object(json.dumps(body).encode()), "mine", Asker(uid=1002, gid=1002))


@pytest.mark.parametrize(
    ("exposed", "host", "of_image", "number"),
    [
        (["80"], {}, ("81/tcp",), 0),
        (["80", "53/udp"], {"PortBindings": EIGHTY}, ("81/tcp",), 2),
        ([], {"PortBindings": {"80/tcp": [], "81/tcp": None}}, (), 2),
        (["80", "53/udp"], {"PortBindings": EIGHTY, "PublishAllPorts": True}, ("80/tcp", "81/tcp", "53/udp"), 4),
        (["80/tcp"], {"PublishAllPorts": True}, ("80", "81"), 2),
    ],
)
def test_d12_what_is_published(
    exposed: list[str], host: dict[str, Any], of_image: tuple[str, ...], number: int
) -> None:
    assert published(plan(exposed, **host), of_image) == number


def test_d12_a_container_publishes_64_ports_and_no_more() -> None:
    bound = {f"{port}/tcp": [{"HostPort": str(port)}] for port in range(8000, 8064)}
    assert published(plan([], PortBindings=bound), ()) == 64
    with pytest.raises(RefusedError, match="publishes 65 ports, and may publish 64"):
        published(plan([], PortBindings=bound, PublishAllPorts=True), ("22/tcp",))
    with pytest.raises(RefusedError, match="publishes 65 ports, and may publish 64"):
        plan([], PortBindings={"80/tcp": [{}] * 60, "81/tcp": [{}] * 5})
