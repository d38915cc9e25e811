"""The guard's folder, written by ds01d and read by ds01-runc (``ds01/runc/grants.py``).

Every file is replaced in one step, and only root may look into it: who could write here could start anything.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ds01.domain.container import ContainerId
from ds01.domain.errors import INTERNAL, Ds01Error
from ds01.domain.guard import Refusal, StartGrant


class GuardFolder:
    """One guard's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._grants = folder / "grants"

    def grant(self, grant: StartGrant, boot_id: str) -> None:
        """Write a grant; it counts until it is withdrawn, one with GPUs until the first start of this boot. A terminal
        that was offered before, by a ds01d that died, is not for this start.
        """
        self._check()
        offer_of(self._folder, grant.container).unlink(missing_ok=True)
        there = sorted(node for pattern in grant.nodes for node in glob.glob(pattern))
        numbers = [found for node in there if (found := _numbers(node))]
        data = asdict(grant) | {"devices": numbers, "boot": boot_id}
        replace_file(self._path(grant.container), data)

    def withdraw(self, container: ContainerId) -> None:
        """Take a grant away; none is fine."""
        self._path(container).unlink(missing_ok=True)

    def spend(self, container: ContainerId) -> None:
        """Let nothing start by a grant with GPUs any more; what the container has stays on record. None is fine."""
        path = self._path(container)
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            return
        if data["gpus"] and not data["used"]:
            replace_file(path, data | {"used": True})

    def grants(self) -> tuple[StartGrant, ...]:
        """All grants there are."""
        return tuple(self._read())

    def refused(self) -> tuple[Refusal, ...]:
        """The record, taken away: the guard begins another one. What was taken stays beside it until it is ``told``: a
        ds01d that ends in between finds it again.
        """
        record, taken = self._folder / "refused.log", self._folder / "refused.told"
        if not taken.exists():
            if not record.exists():
                return ()
            record.rename(taken)
        with taken.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # who had begun to write into it has written
            lines = file.read().splitlines()
        return tuple(_refusal(json.loads(line)) for line in lines if line.endswith("}"))

    def told(self) -> None:
        """What was taken is told."""
        (self._folder / "refused.told").unlink(missing_ok=True)

    def publish(self, data_root: str, folders: Path) -> None:
        """Bring the facts up to date; those the admin chose stay."""
        self._check()
        path = self._folder / "server.json"
        known = self._facts()
        now = known | {"data_root": data_root, "folders": str(folders)}
        if now != known:
            replace_file(path, now)

    def admin_slice(self) -> str:
        """Of the facts the admin chose."""
        return str(self._facts()["admin_slice"])

    def _facts(self) -> dict[str, Any]:
        path = self._folder / "server.json"
        try:
            found: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise Ds01Error(
                INTERNAL, f"The guard's {path} cannot be read, so no container starts.", reason=f"{error}.",
                hint="sudo ds01 install",
            ) from error  # fmt: skip
        return found

    def _read(self) -> Iterator[StartGrant]:
        if self._grants.is_dir():
            for path in sorted(self._grants.glob("*.json")):
                yield _grant(json.loads(path.read_text()))

    def _path(self, container: ContainerId) -> Path:
        return self._grants / f"{container}.json"

    def _check(self) -> None:
        """Nobody but root may write where grants are."""
        for folder in (self._folder, self._grants):
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
                raise Ds01Error(
                    INTERNAL,
                    f"{folder} is not a folder of root's alone, so nothing can be granted there.",
                    hint=f"chown root:root {folder} && chmod go-w {folder}",
                )


def offer_of(guard: Path, container: ContainerId) -> Path:
    """Where a terminal is offered for a container's next start."""
    return guard / "terminals" / f"{container}.json"


def _grant(data: dict[str, Any]) -> StartGrant:
    return StartGrant(
        container=ContainerId(data["container"]), uid=data["uid"], gid=data["gid"], as_owner=data["as_owner"],
        binds=tuple(data["binds"]), volumes=tuple(data["volumes"]), nodes=tuple(data["nodes"]),
        gpus=tuple(data["gpus"]), used=data["used"],
    )  # fmt: skip


def _refusal(data: dict[str, Any]) -> Refusal:
    return Refusal(
        at=datetime.fromtimestamp(data["at"], UTC), container=data["container"], message=data["message"]
    )  # fmt: skip


def _numbers(node: str) -> tuple[str, int, int] | None:
    """A device node as the guard knows it: kind, major, minor. Links were followed when it was judged; what is one
    now is none.
    """
    found = os.lstat(node)
    if not (stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode)):
        return None
    return "b" if stat.S_ISBLK(found.st_mode) else "c", os.major(found.st_rdev), os.minor(found.st_rdev)


def replace_file(path: Path, data: dict[str, Any]) -> None:
    """Write a file that only root reads, in one step."""
    part = path.with_name(f".{path.name}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(json.dumps(data, indent=1))
    part.replace(path)
