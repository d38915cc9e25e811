"""The engine goes away in the middle of something, and comes back."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from dev import engine as own
from dev import people, tiny
from dev.registry import serving

from tests.engine.gateway.ground import OLD_CLIENT, PATIENCE_SECONDS, Ground, User, ground, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]


@pytest.fixture
def place() -> Iterator[Ground]:
    """A server whose engine may be stopped."""
    with tempfile.TemporaryDirectory(prefix="ds01r", dir="/var/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "registry").mkdir()
        running = own.start(folder / "e")
        with serving(folder / "registry") as registry:
            try:
                with ground(running, folder, registry, "er") as made:
                    yield made
                    running = made.engine
            finally:
                own.stop(running)


def ended(place: Ground, number: int) -> None:
    """The engine ends by this signal."""
    if number == signal.SIGTERM:
        own.stop(place.engine)
    else:
        os.kill(place.engine.pid, number)
        assert place.engine.process is not None
        place.engine.process.wait()


def again(place: Ground) -> None:
    """The engine is started again."""
    place.engine = own.start(Path(place.engine.root))
    os.chown(place.engine.socket, 0, people.gateway().gid)


def pulls(user: User, ref: str) -> bool:
    """Whether she can pull this."""
    return user.docker("pull", ref).code == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_p21_a_pull_during_which_the_engine_is_restarted(place: Ground, number: int) -> None:
    mallory: User = place.mallory
    waiting, go = threading.Event(), threading.Event()

    def slow() -> None:
        waiting.set()
        go.wait(PATIENCE_SECONDS)

    place.registry.delay = slow
    place.registry.put("lab/tool", "1", {"Cmd": ["sh"]}, [tiny.layer()])
    ref = f"{place.registry.host}/lab/tool"
    said: list[bytes] = []
    pull = threading.Thread(
        target=lambda: said.append(mallory.call("POST", f"/v1.41/images/create?fromImage={ref}&tag=1").body)
    )
    pull.start()
    assert waiting.wait(PATIENCE_SECONDS)
    ended(place, number)
    pull.join(PATIENCE_SECONDS)
    for client in ("docker", OLD_CLIENT):
        away = mallory.docker("ps", client=client)
        assert "engine is not reachable" in away.err, away.err
    again(place)
    last = json.loads(said[0].split(b"\n")[-2])
    assert "engine" in last["error"] or "cancel" in last["error"]
    assert last["errorDetail"]["message"] == last["error"]
    go.set()
    place.registry.delay = lambda: None
    for user in (mallory, place.alice):
        wait(partial(pulls, user, f"{ref}:1"))
    assert mallory.docker("run", "--rm", f"{ref}:1", "echo", "hello").out == "hello\n"
