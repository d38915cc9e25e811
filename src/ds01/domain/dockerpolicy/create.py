"""``POST /containers/create``: the whole body, judged field by field into a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ds01.domain.container import Door
from ds01.domain.dockerpolicy.case import Asker, Case, Plan
from ds01.domain.dockerpolicy.commandsize import check_command
from ds01.domain.dockerpolicy.config import CONFIG
from ds01.domain.dockerpolicy.devices import DEVICES
from ds01.domain.dockerpolicy.field import Field, judge_struct
from ds01.domain.dockerpolicy.isolation import ISOLATION
from ds01.domain.dockerpolicy.mounts import MOUNTS
from ds01.domain.dockerpolicy.network import NETWORK, endpoints
from ds01.domain.dockerpolicy.resources import RESOURCES
from ds01.domain.dockerpolicy.running import RUNNING, never_by_itself
from ds01.domain.dockerpolicy.strictjson import Json, is_zero
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.dockerpolicy.waiting import wait_seconds

HOST: tuple[Field, ...] = (*ISOLATION, *MOUNTS, *DEVICES, *RESOURCES, *NETWORK, *RUNNING)
"""Every field of ``HostConfig`` there is a rule for."""

FIELDS_OF_HOST = frozenset(field.name.casefold() for field in HOST) - frozenset(
    field.name.casefold() for field in CONFIG
)

_PARTS = ("HostConfig", "NetworkingConfig")
"""What a body has beside its configuration, with tables of their own."""
_BODY = (*CONFIG, *(Field(name=name, rule="create.body", says="", judge=lambda case, value: value) for name in _PARTS))


def judge_create(body: dict[str, Json], name: str, asker: Asker) -> Plan:
    """The plan of a create. ``name`` is the user's, already judged. Raises RefusedError."""
    case = Case(asker=asker)
    body = _runtime_moved(body)
    _refuse_old_form(body)
    config = judge_struct("", body, _BODY, case)
    settings, networking = (cast(Json, config.pop(name, None)) for name in _PARTS)
    if not case.image:
        raise malformed("create.image", "No image was named")
    check_command(config)
    host = judge_struct("HostConfig", settings, HOST, case)
    if case.devices and "RestartPolicy" in host:
        host["RestartPolicy"] = never_by_itself(case, host["RestartPolicy"])
    joined = endpoints(case, networking)
    case.wait_seconds = wait_seconds(case.environment, case.wait_label)
    return Plan(name=name, config=config, host=host, endpoints=joined, case=case)


def door_of(labels: Mapping[str, str]) -> Door:
    """How a container came to be: editors and compose leave their marks. Only limits of time may differ by it."""
    if any(key.startswith(("devcontainer.", "com.visualstudio.code.devcontainers.")) for key in labels):
        return Door.DEVCONTAINER
    return Door.COMPOSE if "com.docker.compose.project" in labels else Door.DOCKER


def _runtime_moved(body: dict[str, Json]) -> dict[str, Json]:
    """docker-py writes the runtime beside the configuration, where engines take it when there is no ``HostConfig``;
    it is judged like any other.
    """
    found = body.get("Runtime")
    if not isinstance(found, str) or not found or not is_zero(body.get("HostConfig")):
        return body
    return {**{key: value for key, value in body.items() if key != "Runtime"}, "HostConfig": {"Runtime": found}}


def _refuse_old_form(body: dict[str, Json]) -> None:
    """Without HostConfig old engines take its fields from the top: ``{"Privileged": true}`` was honoured."""
    for key, value in body.items():
        if key.casefold() in FIELDS_OF_HOST and not is_zero(value):
            raise malformed("create.top-level", f"{key} belongs in HostConfig", "Update your client.")
