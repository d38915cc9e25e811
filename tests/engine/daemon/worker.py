"""A user who launches, stops, starts and retires one container, one act a line, and says what ds01d acknowledged.

Or one who submits jobs, each of which writes its name down when it runs.

Started by root: ``worker.py LOGIN SOCKET NAME WORKSPACE IMAGE``; it becomes that user once it has loaded itself, which
she could not always. A line on standard input is an act, the answer a JSON line.
"""

from __future__ import annotations

import json
import os
import pwd
import sys
from typing import Any

from ds01.client.daemon import Client
from ds01.domain.errors import Ds01Error
from ds01.wire.codec import plain
from ds01.wire.containers import ContainerView
from ds01.wire.jobs import JobRequest
from ds01.wire.launches import LaunchRequest


def act(client: Client, verb: str, name: str, workspace: str, image: str) -> ContainerView | None:
    """Do it; the container afterwards, None when it is gone."""
    if verb.startswith("launch"):
        gpus = verb.removeprefix("launch")
        request = LaunchRequest(project="thesis", name=name, workspace=workspace, image=image, gpus=gpus)
        return list(client.launch(request))[-1].container
    if verb == "start":
        return client.start(name).container
    if verb == "stop":
        return client.stop(name, grace_seconds=1)
    client.retire(name)
    return None


def submit(client: Client, gpus: str, workspace: str, image: str) -> str:
    """Submit a job; its name."""
    script = 'echo "$DS01_JOB" >>ran'
    request = JobRequest(command=("sh", "-c", script), project="job", workspace=workspace, image=image, gpus=gpus)
    return client.submit(request).name


def answer(arguments: list[str], verb: str) -> dict[str, Any]:
    """What ds01d said: a container, a job, or the code of its refusal."""
    socket, name, workspace, image = arguments
    try:
        if verb.startswith("submit"):
            return {"code": "", "job": submit(Client(socket), verb.removeprefix("submit"), workspace, image)}
        return {"code": "", "container": plain(act(Client(socket), verb, name, workspace, image))}
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
