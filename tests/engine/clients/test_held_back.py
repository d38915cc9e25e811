"""A build held back until a name in it means somebody else's image gets what the name meant when it began."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from dev import people

from tests.engine.clients.desk import Desk, tagged
from tests.engine.gateway.ground import IMAGE, PATIENCE_SECONDS, Ground

pytestmark = [pytest.mark.engine, pytest.mark.root]
SECRET = "the-secret-of-alice"
STOLEN = f"FROM {IMAGE}\nCOPY --from=app / /from/\nRUN cat /from/who\n"


@pytest.fixture
def desks(place: Ground) -> Iterator[tuple[Desk, Desk]]:
    """Mallory's and Alice's."""
    found = [Desk(user=user, folder=user.folder("held")) for user in (place.mallory, place.alice)]
    yield found[0], found[1]
    place.clear(set())
    for desk in found:
        place.clear_images(desk.user.uid)
    for ref in tagged(place):
        place.root("DELETE", f"/images/{ref}?force=1")


@contextmanager
def held(path: Path) -> Iterator[threading.Event]:
    """Who opens this file waits until this is over. The event says that somebody does."""
    waits = threading.Event()
    before = signal.signal(signal.SIGIO, lambda *_: waits.set())
    file = os.open(path, os.O_RDWR)
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield waits
    finally:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(file)
        signal.signal(signal.SIGIO, before)


@pytest.mark.parametrize("file", ["Dockerfile", ".dockerignore"])
def test_d23_a_name_that_goes_to_another_while_a_build_waits_leads_to_nothing_of_hers(
    place: Ground, desks: tuple[Desk, Desk], file: str
) -> None:
    mallory, alice = desks
    alice.write("who", SECRET)
    alice.write("Dockerfile", f"FROM {IMAGE}\nCOPY who /who\n")
    mallory.write("Dockerfile", f"FROM {IMAGE}\nRUN echo mallory > /who\n")
    mallory.docker("build", "-t", "app", ".")
    mallory.write("Dockerfile", STOLEN)
    mallory.write(".dockerignore", "x\n")
    with ThreadPoolExecutor(1) as pool:
        with held(mallory.folder / file) as waits:
            build: Future[people.Done] = pool.submit(
                mallory,
                "docker",
                "build",
                "--progress",
                "plain",
                "--no-cache",
                "-t",
                "stolen",
                ".",
                DOCKER_BUILDKIT="1",
            )
            assert waits.wait(PATIENCE_SECONDS)
            mallory.docker("rmi", "app")
            alice.docker("build", "-t", "app", ".")
            assert "app:latest" in tagged(place)
        done = build.result()
    assert SECRET not in done.err + done.out
    if done.code == 0:
        assert mallory.docker("run", "--rm", "stolen", "cat", "/from/who") == "mallory"
    assert alice.docker("run", "--rm", "app", "cat", "/who") == SECRET
    assert not [ref for ref in tagged(place) if ref.startswith("ds01-b")]
