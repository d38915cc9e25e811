"""A user who launches, stops, starts and retires one container, one act a line, and says what ds01d acknowledged.

Run as that user: ``worker.py SOCKET NAME WORKSPACE IMAGE``; a line on standard input is an act, the answer a JSON line.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ds01.client.daemon import Client
from ds01.domain.errors import Ds01Error
from ds01.wire.codec import plain
from ds01.wire.containers import ContainerView
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


def answer(arguments: list[str], verb: str) -> dict[str, Any]:
    """What ds01d said: a container, or the code of its refusal."""
    socket, name, workspace, image = arguments
    try:
        return {"code": "", "container": plain(act(Client(socket), verb, name, workspace, image))}
    except Ds01Error as error:
        return {"code": error.kind.code, "reason": error.problem.reason}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(sys.argv[1:], line.strip())), flush=True)
