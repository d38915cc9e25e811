"""``POST /volumes/create``: a plain folder of the engine's, or a file system in memory.

The local driver mounts whatever its options say, as root: ``o=bind,device=/`` is the host. So its options are none, or
exactly those of a tmpfs, written anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Asker, Case
from ds01.domain.dockerpolicy.field import DROP, Dropped, Field, judge_struct, must_be_empty
from ds01.domain.dockerpolicy.labels import labels
from ds01.domain.dockerpolicy.names import volume_name
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import Change, EngineWordsError, malformed, not_allowed
from ds01.domain.quantity import size

TMPFS_BYTES = 1024**3
"""The most a volume in memory may hold; what is in it counts as memory of the container that writes it."""

_OPTIONS = 1024
_MODE = re.compile(r"[0-7]{3,4}")
_KNOWN = {"type", "device", "o"}
_HARMLESS = frozenset({"rw", "nosuid", "nodev", "noexec", "noatime"})


@dataclass(frozen=True, kw_only=True)
class VolumePlan:
    """A judged volume. Without a name the engine's way of naming is used."""

    name: str
    labels: Mapping[str, str]
    options: Mapping[str, str]
    changes: tuple[Change, ...]


def judge_volume(body: dict[str, Json], asker: Asker) -> VolumePlan:
    """The plan of a create. Raises RefusedError."""
    case = Case(asker=asker)
    kept = judge_struct("", body, VOLUME, case)
    name = shape.text("Name", cast(Json, kept.get("Name")))
    return VolumePlan(
        name=name,
        labels=shape.text_map("Labels", cast(Json, kept.get("Labels")), multiline=True),
        options=shape.text_map("DriverOpts", cast(Json, kept.get("DriverOpts"))),
        changes=tuple(case.changes),
    )


def check_driver(name: str) -> None:
    """The local one, or none named: there is no other here."""
    if name not in ("", "local"):
        what = f'error looking up volume plugin {name}: plugin "{name}" not found'
        raise EngineWordsError("volumes.driver", what, status=404)


def driver_options(value: Json, asker: Asker) -> dict[str, str]:
    """No options, or those of a tmpfs of the asker's."""
    options = shape.text_map("DriverOpts", value)
    if not options:
        return {}
    if set(options) - _KNOWN or options.get("type") != "tmpfs" or options.get("device", "tmpfs") != "tmpfs":
        raise not_allowed(
            "volumes.options", "a volume that mounts something of the host", "Mount a folder of yours with -v."
        )
    return {"type": "tmpfs", "device": "tmpfs", "o": _tmpfs(options.get("o", ""), asker)}


def _tmpfs(text: str, asker: Asker) -> str:
    asked, mode = TMPFS_BYTES, "0700"
    if len(text) > _OPTIONS:
        raise malformed("volumes.options", f"The options are longer than {_OPTIONS} characters")
    for option in filter(None, text.split(",")):
        name, _, setting = option.partition("=")
        if name == "size":
            asked = min(tmpfs_size(setting) or TMPFS_BYTES, TMPFS_BYTES)
        elif name == "mode" and _MODE.fullmatch(setting):
            mode = f"{int(setting, 8) & 0o1777:04o}"
        elif name not in ("uid", "gid") and option not in _HARMLESS:
            raise not_allowed("volumes.options", f"the tmpfs option '{option[:40]}'", "Use size and mode.")
    return f"size={asked},mode={mode},uid={asker.uid},gid={asker.gid},nosuid,nodev"


def tmpfs_size(text: str) -> int:
    """A size as mount options write it."""
    try:
        return size(text)
    except ValueError as error:
        raise malformed("create.tmpfs", f"{text!r} is no size", "Write it like size=512m.") from error


def _name(case: Case, value: Json) -> Json | Dropped:
    del case
    name = shape.text("Name", value)
    return volume_name(name) if name else DROP


def _driver(case: Case, value: Json) -> Dropped:
    del case
    check_driver(shape.text("Driver", value))
    return DROP


def _options(case: Case, value: Json) -> Json:
    return {**driver_options(value, case.asker)}


def _labels(case: Case, value: Json) -> Json:
    return {**labels(case, value)}


VOLUME: tuple[Field, ...] = (
    Field(name="Name", rule="volumes.name", judge=_name, says="yours alone: everybody may have a volume `data`"),
    Field(name="Driver", rule="volumes.driver", judge=_driver, says="empty or `local`"),
    Field(name="DriverOpts", rule="volumes.options", judge=_options,
          says=f"none, or `type=tmpfs` with `o=size=…,mode=…`, at most {TMPFS_BYTES >> 30} GB"),
    Field(name="Labels", rule="create.labels", judge=_labels, says="kept, without `ds01.*`"),
    must_be_empty("ClusterVolumeSpec", "volumes.cluster", "a volume of a swarm"),
)  # fmt: skip
"""Every field of a volume there is a rule for."""
