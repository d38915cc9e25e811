"""``docker commit`` and ``docker import``: what becomes of an image's configuration.

The engine mixes in the container's own configuration, with every label DS01 gave it. None of them may speak for the
image: each is written over with nothing, and the owner's are set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.dockerfile import change, judged_triggers
from ds01.domain.dockerpolicy.labels import users_own
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import Change, malformed, not_allowed
from ds01.domain.dockerpolicy.weight import check_labels
from ds01.domain.gpu import asks_for_devices
from ds01.domain.labels import TRUSTED

CHANGES = 100
_OF_A_SHELL = frozenset({"CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD"})
"""Where a variable is put in later, or by a shell in a container."""

_KEPT: dict[str, Callable[[str, Json], Any]] = {
    "Cmd": shape.words, "Entrypoint": shape.words, "WorkingDir": shape.text, "User": shape.text,
    "StopSignal": shape.text, "ExposedPorts": shape.mapping, "Volumes": shape.mapping, "Shell": shape.words,
}  # fmt: skip
_CONFIG = shape.names(
    *_KEPT, "Env", "Labels", "OnBuild", "Healthcheck", "Hostname", "Domainname", "AttachStdin", "AttachStdout",
    "AttachStderr", "Tty", "OpenStdin", "StdinOnce", "ArgsEscaped", "Image", "NetworkDisabled", "MacAddress",
    "StopTimeout",
)  # fmt: skip


def judge_config(body: Mapping[str, Json], owner: Mapping[str, str], changes: list[Change]) -> dict[str, Json]:
    """The configuration for the engine. What belongs to a container and not to an image is left out."""
    found = shape.struct("", dict(body), _CONFIG)
    if found.get("Healthcheck"):
        raise not_allowed("commit.health", "Healthcheck in a commit", "Write it as a change: HEALTHCHECK CMD ….")
    config: dict[str, Json] = {}
    for name, read in _KEPT.items():
        value = read(name, found.get(name))
        if value:
            config[name] = {key: {} for key in value} if isinstance(value, dict) else value
    triggers = judged_triggers(shape.texts("OnBuild", found.get("OnBuild")))
    env = shape.texts("Env", found.get("Env"), multiline=True)
    if triggers:
        config["OnBuild"] = [*triggers]
    config["Env"] = [entry for entry in env if not asks_for_devices(entry.partition("=")[0])]
    config["Labels"] = {**_labels(found.get("Labels"), changes), **dict.fromkeys(TRUSTED, ""), **owner}
    return config


def judge_changes(texts: Sequence[str], owner: Mapping[str, str]) -> list[str]:
    """The changes, each on a line, with the owner's labels last: the last word on a label is the one that counts."""
    lines = [line for text in texts for line in text.split("\n") if line.strip()]
    if len(lines) > CHANGES:
        raise malformed("commit.change", f"An image can have {CHANGES} changes at most")
    for line in lines:
        if "$" in line and line.split(maxsplit=1)[0].upper() not in _OF_A_SHELL:
            raise malformed("commit.change", f"{line[:60]!r} names a variable, which may grow without end",
                            "Write its value.")  # fmt: skip
    given = {**dict.fromkeys(TRUSTED, ""), **owner}
    last = " ".join(f'"{key}"="{value}"' for key, value in given.items())
    return [*map(change, lines), f"LABEL {last}"]


def _labels(value: Json, changes: list[Change]) -> dict[str, Json]:
    found = users_own("commit.labels", shape.text_map("Labels", value, multiline=True), changes)
    check_labels("commit.labels", found)
    return {**found}
