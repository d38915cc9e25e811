"""A user who launches, stops, starts and retires one container, one act a line, and says what ds01d acknowledged.

Or one who submits jobs, each of which writes its name down when it runs; who waits for a GPU and takes her turn; or who
books.

Started by root: ``worker.py LOGIN SOCKET NAME WORKSPACE IMAGE``; it becomes that user once it has loaded itself, which
she could not always. A line on standard input is an act, the answer a JSON line.
"""

from __future__ import annotations

import json
import os
import pwd
import sys
from dataclasses import dataclass
from typing import Any

from ds01.client.daemon import Client
from ds01.domain.errors import Ds01Error
from ds01.wire.bookings import BookRequest
from ds01.wire.codec import plain
from ds01.wire.jobs import JobRequest
from ds01.wire.launches import LaunchRequest


@dataclass(frozen=True, kw_only=True)
class Hands:
    """What she does with her one container, and what ds01d answered: a container, a place, a name."""

    client: Client
    name: str
    workspace: str
    image: str

    def launch(self, gpus: str) -> dict[str, Any]:
        return {"container": plain(list(self.client.launch(self._request(gpus=gpus)))[-1].container)}

    def start(self) -> dict[str, Any]:
        return {"container": plain(self.client.start(self.name).container)}

    def stop(self) -> dict[str, Any]:
        return {"container": plain(self.client.stop(self.name, grace_seconds=1))}

    def retire(self) -> dict[str, Any]:
        self.client.retire(self.name)
        return {"container": None}

    def wait(self) -> dict[str, Any]:
        """Her place, as soon as she has one; it stays when she hangs up. Or the container, where there is a GPU."""
        for event in self.client.launch(self._request(wait=True, stays=True)):
            if event.place is not None:
                return {"place": plain(event.place)}
        return {"container": plain(event.container)}

    def claim(self) -> dict[str, Any]:
        return {"container": plain(list(self.client.claim(self.name))[-1].container)}

    def cancel(self) -> dict[str, Any]:
        self.client.cancel(self.name)
        return {"place": None}

    def book(self, name: str, begins: str) -> dict[str, Any]:
        self.client.book(BookRequest(begins=f"in {begins}", length_seconds=1800, name=name))
        return {"booked": name}

    def unbook(self, name: str) -> dict[str, Any]:
        self.client.cancel_booking(name)
        return {"booked": None}

    def submit(self, gpus: str) -> dict[str, Any]:
        return {"job": submit(self.client, gpus, self.workspace, self.image)}

    def _request(self, *, gpus: str = "1", wait: bool = False, stays: bool = False) -> LaunchRequest:
        return LaunchRequest(
            project="thesis", name=self.name, workspace=self.workspace, image=self.image, gpus=gpus, wait=wait,
            stays=stays,
        )  # fmt: skip


def submit(client: Client, gpus: str, workspace: str, image: str) -> str:
    """Submit a job; its name."""
    script = 'echo "$DS01_JOB" >>ran'
    request = JobRequest(command=("sh", "-c", script), project="job", workspace=workspace, image=image, gpus=gpus)
    return client.submit(request).name


def answer(arguments: list[str], act: str) -> dict[str, Any]:
    """What ds01d said, or the code of its refusal."""
    socket, name, workspace, image = arguments
    verb, *words = act.split()
    try:
        hands = Hands(client=Client(socket), name=name, workspace=workspace, image=image)
        return {"code": "", **getattr(hands, verb)(*words)}
    except Ds01Error as error:
        return {"code": error.kind.code, "reason": error.problem.reason}


def become(login: str) -> None:
    """Give up root's rights for those of an account."""
    entry = pwd.getpwnam(login)
    os.setgroups(os.getgrouplist(login, entry.pw_gid))
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


if __name__ == "__main__":
    become(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(answer(sys.argv[2:], line.strip())), flush=True)
