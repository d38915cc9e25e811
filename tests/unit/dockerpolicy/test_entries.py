"""Lists and maps have so many entries and no more, counted before one is judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ds01.domain.dockerpolicy.case import Asker
from ds01.domain.dockerpolicy.commit import judge_config
from ds01.domain.dockerpolicy.create import judge_create
from ds01.domain.dockerpolicy.entries import MOST, USUAL, most
from ds01.domain.dockerpolicy.execute import judge_exec
from ds01.domain.dockerpolicy.networks import judge_network
from ds01.domain.dockerpolicy.strictjson import parse_object
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.dockerpolicy.volumes import judge_volume

MALLORY = Asker(uid=1002, gid=1002)
WRONG = 7
"""No entry of any field: whoever judges one says so."""


def judged(body: dict[str, Any]) -> None:
    judge_create(parse_object(json.dumps({"Image": "bb", **body}).encode()), "mine", MALLORY)


def refused(body: dict[str, Any]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        judged(body)
    return caught.value


@pytest.mark.parametrize(
    "name",
    ["Binds", "Mounts", "Ulimits", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts", "Links", "VolumesFrom", "CapAdd",
     "CapDrop", "GroupAdd", "SecurityOpt", "Devices", "DeviceRequests"],
)  # fmt: skip
def test_d16_a_list_is_counted_before_it_is_judged(name: str) -> None:
    assert refused({"HostConfig": {name: [WRONG] * (most(name) + 1)}}).rule == "field.entries"
    assert refused({"HostConfig": {name: [WRONG] * most(name)}}).rule != "field.entries"


@pytest.mark.parametrize("name", ["Tmpfs", "PortBindings", "Sysctls", "StorageOpt"])
def test_d16_a_map_is_counted_before_it_is_judged(name: str) -> None:
    wrong = {f"/{number}": WRONG for number in range(most(name) + 1)}
    assert refused({"HostConfig": {name: wrong}}).rule == "field.entries"
    del wrong["/0"]
    assert refused({"HostConfig": {name: wrong}}).rule != "field.entries"


@pytest.mark.parametrize(
    "body",
    [
        {"Env": ["A=1"] * 4097},
        {"Labels": {str(number): "" for number in range(1025)}},
        {"Volumes": {f"/{number}": {} for number in range(129)}},
        {"ExposedPorts": {str(number + 1): {} for number in range(4097)}},
        {"NetworkingConfig": {"EndpointsConfig": {f"n{number}": {} for number in range(65)}}},
        {"NetworkingConfig": {"EndpointsConfig": {"": {"Aliases": ["a"] * 257}}}},
        {"HostConfig": {f"X{number}": "" for number in range(257)}},
        {"HostConfig": {"Mounts": [{"Type": "volume", "Target": "/v", "VolumeOptions": {
            "Labels": {str(number): "" for number in range(65)}}}]}},
    ],
)  # fmt: skip
def test_d16_fields_have_a_number_each(body: dict[str, Any]) -> None:
    assert refused(body).rule == "field.entries"


def test_d16_so_have_those_of_other_requests() -> None:
    labels: dict[str, Any] = {"Labels": {str(number): "" for number in range(1025)}}
    for judge in (
        lambda: judge_network({"Name": "app", **labels}, MALLORY),
        lambda: judge_volume(labels, MALLORY),
        lambda: judge_config(labels, {}, []),
        lambda: judge_exec({"Env": ["A=1"] * 4097}, MALLORY, ""),
    ):
        with pytest.raises(RefusedError) as caught:
            judge()
        assert caught.value.rule == "field.entries"


def test_who_writes_much_by_hand_does_not_meet_them() -> None:
    judged(
        {
            "Env": [f"VARIABLE_{number}=value" for number in range(500)],
            "Labels": {f"com.example.{number}": "x" for number in range(200)},
            "Cmd": ["python", "train.py", *(f"data/{number}.parquet" for number in range(10_000))],
            "HostConfig": {
                "Binds": [f"/home/me/{number}:/data/{number}" for number in range(60)],
                "ExtraHosts": [f"host{number}:10.0.0.1" for number in range(250)],
            },
        }
    )


def test_every_number_is_of_a_field() -> None:
    assert most("HostConfig.Binds") == MOST["Binds"]
    assert most("HostConfig.Mounts[3].VolumeOptions.Labels") == MOST["VolumeOptions.Labels"] < MOST["Labels"]
    assert most("Dns") == most("") == USUAL


@pytest.mark.parametrize(
    "host",
    [
        {"Binds": ["/" + "a" * 4096 + ":/b"]},
        {"Binds": ["/a:/" + "b" * 4096]},
        {"Binds": ["/a:/b:" + "ro," * 400]},
        {"Tmpfs": {"/t": "rw," * 400}},
        {"Mounts": [{"Type": "volume", "Target": "/v", "VolumeOptions": {"Subpath": "a/" * 2049}}]},
        {"Mounts": [{"Type": "volume", "Target": "/v", "VolumeOptions": {
            "DriverConfig": {"Options": {"type": "tmpfs", "o": "noexec," * 200}}}}]},
    ],
)  # fmt: skip
def test_d16_what_is_taken_apart_is_no_longer_than_it_may_be(host: dict[str, Any]) -> None:
    assert "longer than" in refused({"HostConfig": host}).what
