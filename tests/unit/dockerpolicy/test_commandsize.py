"""How long a container's command may be, from the request and from its image."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ds01.domain.dockerpolicy.case import Asker, Plan
from ds01.domain.dockerpolicy.commandsize import check_command
from ds01.domain.dockerpolicy.create import judge_create
from ds01.domain.dockerpolicy.strictjson import parse_object
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.dockerpolicy.weight import COMMAND, size

HALF = ["x" * 50_000, "y" * 50_000]
LONG = [*HALF, *HALF, *HALF]


def asked(config: dict[str, Any]) -> Plan:
    body = parse_object(json.dumps({"Image": "bb", **config}).encode())
    return judge_create(body, "mine", Asker(uid=1002, gid=1002))


@pytest.mark.parametrize(
    "config",
    [
        {"Cmd": LONG}, {"Entrypoint": LONG}, {"Cmd": HALF, "Entrypoint": [*HALF, *HALF]}, {"cmd": LONG},
        {"Cmd": ["x" * 30_000] * 32}, {"Cmd": ["<<<<"] * 10_000}, {"Cmd": ["é" * 60_000, "é" * 60_000, "é" * 12_000]},
        {"Cmd": ["abcdefghijklmn"] * 15_000},
    ],
)  # fmt: skip
def test_d16_a_long_command_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="longer than 256K together") as caught:
        asked(config)
    assert (caught.value.status, caught.value.rule) == (400, "create.command")
    assert "into a file" in caught.value.advice


def test_a_command_may_name_thousands_of_files() -> None:
    words = ["python", "train.py", *(f"data/{number}.parquet" for number in range(12_000))]
    assert size(words) <= COMMAND
    assert asked({"Cmd": words}).config["Cmd"] == words
    assert asked({"Entrypoint": words[:2], "Cmd": words[2:]}).config["Cmd"] == words[2:]


@pytest.mark.parametrize(
    ("config", "entrypoint", "command", "fits"),
    [
        ({}, (), LONG, False),
        ({}, LONG, (), False),
        ({}, HALF, HALF, True),
        ({"Cmd": []}, (), LONG, False),
        ({"Cmd": ["a"]}, (), LONG, True),
        ({"Cmd": ["a"]}, LONG, (), False),
        ({"Cmd": [*HALF, *HALF]}, HALF, LONG, False),
        ({"Entrypoint": ["a"]}, LONG, LONG, True),
        ({"Entrypoint": ["a"], "Cmd": HALF}, LONG, LONG, True),
        ({"Entrypoint": []}, LONG, ["a"], True),
        ({"Entrypoint": []}, (), LONG, False),
        ({"Entrypoint": None, "Cmd": ["a"]}, LONG, (), False),
        ({"Entrypoint": [""]}, LONG, LONG, True),
    ],
)
def test_d16_where_nothing_is_said_the_images_counts(
    config: dict[str, Any], entrypoint: list[str], command: list[str], fits: bool
) -> None:
    """As the engine puts them together: with another entrypoint the image's command is not run."""
    plan = asked(config)
    if fits:
        check_command(plan.config, entrypoint, command)
        return
    with pytest.raises(RefusedError, match="longer than 256K together"):
        check_command(plan.config, entrypoint, command)
