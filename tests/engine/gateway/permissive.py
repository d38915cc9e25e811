"""A gateway that checks nothing, for tests of what stands behind it.

It asks ds01d for what every container needs, as the real one does, and then sends the engine whatever the client
wrote: the client's fields win over every one of ours. Whatever does not happen then, the guard alone has stopped.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ds01.domain.dockerpolicy.case import Asker, Plan
from ds01.domain.dockerpolicy.create import judge_create
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.gateway.finish import Blueprint, Resolved, body
from ds01.wire import codec
from ds01.wire.door import DoorBind, DoorCommit, DoorCreate, DoorGrant, DoorStart, DoorStarting
from tests.engine.gateway.ground import IMAGE, Ground, Reply, User, ask, connected


@dataclass(frozen=True, kw_only=True)
class Permissive:
    """Acts for ``user`` without a question."""

    field: Ground
    user: User

    def create(self, name: str, /, *, binds: tuple[str, ...] = (), gpus: str = "0", **asked: Any) -> Reply:
        """A create. ``binds`` and ``gpus`` are granted by ds01d, ``asked`` is nobody's business."""
        image = self.field.root("GET", f"/images/{asked.get('Image', IMAGE)}/json").json["Id"]
        wanted = DoorCreate(
            uid=self.user.uid, name=name, image=IMAGE, door="docker", image_id=image, gpus=gpus,
            binds=tuple(DoorBind(source=path, target=f"/bound{number}") for number, path in enumerate(binds)),
            anonymous=sum(_nameless(mount) for mount in (asked.get("HostConfig") or {}).get("Mounts") or ()),
        )  # fmt: skip
        grant = codec.parse(DoorGrant, self._door("creates", asdict(wanted)))
        plan = self._plan(name, binds)
        whole = merged(
            body(plan, grant, Blueprint(id=image), Resolved(containers={}, networks={"": grant.network})),
            {**asked, "Image": image},
        )
        made = self.field.root("POST", f"/containers/create?name={grant.stored_name}", whole)
        if made.status == 201:
            self._door("creates/commit", asdict(DoorCommit(ticket=grant.ticket, id=made.json["Id"])))
        else:
            self._door("creates/abort", {"ticket": grant.ticket})
        return made

    def start(self, container: str) -> Reply:
        """A start that ds01d grants; a grant it refuses is no reason not to try."""
        found = self._ask("starts", asdict(DoorStart(uid=self.user.uid, id=container)))
        started = self.field.root("POST", f"/containers/{container}/start")
        if found.status == 200:
            ticket = codec.parse(DoorStarting, found.json).ticket
            self._ask("starts/commit" if started.status < 300 else "starts/abort", {"ticket": ticket})
        return started

    def runs(self, name: str, /, **asked: Any) -> tuple[str, Reply]:
        """Create and start: the id, and what the engine said to the start."""
        made = self.create(name, **{"Cmd": ["sleep", "1000"], **asked})
        assert made.status == 201, made.body
        container = str(made.json["Id"])
        return container, self.start(container)

    def exec(self, container: str, *words: str, **asked: Any) -> str:
        """What a command in the container says, and the refusal of one that does not run."""
        config = {"Cmd": list(words), "AttachStdout": True, "AttachStderr": True, "Tty": True} | asked
        made = self.field.root("POST", f"/containers/{container}/exec", config)
        assert made.status == 201, made.body
        return self.field.root("POST", f"/exec/{made.json['Id']}/start", {"Tty": True}).body.decode()

    def refusals(self, container: str) -> list[str]:
        """What the guard said of this container, whether or not ds01d has made an event of it yet."""
        lines = []
        for name in ("refused.log", "refused.told"):  # in the order in which ds01d takes them
            with contextlib.suppress(FileNotFoundError):
                lines += (Path(self.field.engine.root) / "guard" / name).read_text().splitlines()
        fresh = [line["message"] for line in map(json.loads, lines) if line["container"] == container]
        with contextlib.closing(sqlite3.connect(f"file:{self.field.state}/ledger.db?mode=ro", uri=True)) as ledger:
            told = ledger.execute("select details from events where type = 'guard.refused'").fetchall()
        old = [details for (text,) in told if (details := json.loads(text)).get("container") == container]
        return [*(details["reason"] for details in old), *fresh]

    def _plan(self, name: str, binds: tuple[str, ...]) -> Plan:
        person = self.user.person
        host: Json = {"Binds": [f"{path}:/bound{number}" for number, path in enumerate(binds)]}
        return judge_create({"Image": IMAGE, "HostConfig": host}, name, Asker(uid=person.uid, gid=person.gid))

    def _ask(self, path: str, value: Any) -> Reply:
        return ask(connected(str(self.field.run / "ds01d.sock")), "POST", f"/v1/door/{path}", value)

    def _door(self, path: str, value: Any) -> Any:
        found = self._ask(path, value)
        assert found.status < 300, found.body
        return found.json


def _nameless(mount: dict[str, Any]) -> bool:
    """Whether the engine makes a volume for it."""
    return mount.get("Type") == "volume" and not mount.get("Source")


def merged(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Their fields over ours, and lists of theirs after ours."""
    found = dict(ours)
    for key, value in theirs.items():
        before = found.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            found[key] = merged(before, value)
        elif isinstance(before, list) and isinstance(value, list) and key in ("Mounts", "Env", "Devices"):
            found[key] = [*before, *value]
        else:
            found[key] = value
    return found
