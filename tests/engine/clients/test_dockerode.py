"""dockerode, the Docker SDK for Node, which says much in the query and again in the body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import dockerode

from tests.engine.clients.conftest import run
from tests.engine.clients.desk import Desk
from tests.engine.clients.test_sdk import archive
from tests.engine.gateway.ground import IMAGE, Ground, User

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    pytest.mark.skipif(not dockerode.available(), reason="left out: needs node and npm"),
]
SCRIPT = Path(__file__).with_name("dockerode.js")


@pytest.fixture
def desk(place: Ground, user: User) -> Iterator[Desk]:
    place.registry.put("lab/node", "1", {"Cmd": ["/bin/true"]}, [archive(there="yes")])
    yield Desk(user=user, folder=user.folder("node"))
    place.clear(set())
    place.clear_images(user.uid)
    place.registry.manifests.clear()


def test_a_script_of_dockerode(place: Ground, desk: Desk) -> None:
    pulled, refused = f"{place.registry.host}/lab/node:1", "registry.invalid/lab/node:1"
    (desk.folder / "build.tar").write_bytes(archive(Dockerfile=f"FROM {IMAGE}\nRUN echo built > /built\n"))
    (desk.folder / "script.js").write_bytes(SCRIPT.read_bytes())
    done = run(desk.user, desk.folder, "node", "script.js", IMAGE, pulled, refused, "build.tar",
               SOCKET=desk.user.gateway, NODE_PATH=str(dockerode.modules()))  # fmt: skip
    assert done.code == 0, done.err
    assert json.loads(done.out) == {
        "listed": [["/node"]], "memory": 64 * 1024**2, "said": ["12\n", "e\n"], "code": 0, "typed": "typed\n",
        "resized": "", "size": "", "renamed": "/node2", "restarted": True, "stopped": 137, "again": "400", "ended": 137,
        "kept": True, "gone": "404", "logs": "\1\0\0\0\0\0\0\6begun\n", "attached": "line\n",
        "ran": ["ran", 3], "progress": True, "pulled": [pulled], "refused": "403",
        "built": True, "labels": "b", "pruned": "", "network": "nodenet", "volume": "nodevol2",
        "kept_container": "/pruned", "pruned_container": "404", "heard": "heard",
    }  # fmt: skip
