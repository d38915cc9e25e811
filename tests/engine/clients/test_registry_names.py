"""A name of the registries' that somebody wrote first: who pulls it has the registry's, and the first one hers."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engine.clients.desk import Desk, tagged
from tests.engine.gateway.ground import IMAGE, Ground, wait
from tests.engine.gateway.test_going_on import begun

pytestmark = [pytest.mark.engine, pytest.mark.root]
WAYS = ("tag", "legacy build", "buildkit build", "load", "import", "commit")
CONFIG = {"Cmd": ["/bin/cat", "/who"], "Env": ["PATH=/bin"]}
THEIRS, HERS, AGAIN = "the registry", "mallory", "mallory again"


def layer(who: str) -> bytes:
    """A shell, and a file that says who made it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in ("bin/sh", "bin/cat", "bin/sleep"):
            tar.add("/bin/busybox", name)
        entry = tarfile.TarInfo("who")
        entry.size = len(who)
        tar.addfile(entry, io.BytesIO(who.encode()))
    return packed.getvalue()


@pytest.fixture
def name(place: Ground) -> str:
    """What the registry has."""
    place.registry.put("lab/tool", "1", CONFIG, [layer(THEIRS)])
    return f"{place.registry.host}/lab/tool:1"


@pytest.fixture
def desks(place: Ground) -> Iterator[tuple[Desk, Desk]]:
    """Mallory's, who writes names, and Alice's, who pulls them."""
    found = [Desk(user=user, folder=user.folder("names")) for user in (place.mallory, place.alice)]
    yield found[0], found[1]
    place.clear(set())
    for desk in found:
        place.clear_images(desk.user.uid)
    for ref in tagged(place):
        place.root("DELETE", f"/images/{ref}?force=1")
    place.registry.manifests.clear()
    place.registry.delay = lambda: None


def write(desk: Desk, way: str, name: str, who: str = HERS) -> None:
    """Write a name in one of the ways there are."""
    desk.write("who", who)
    desk.write("Dockerfile", f"FROM {IMAGE}\nCOPY who /who\n")
    match way:
        case "legacy build" | "buildkit build":
            desk.docker("build", "-t", name, ".", kit="1" if way.startswith("buildkit") else "0")
            return
        case "commit":
            desk.docker("run", "--name", "work", IMAGE, "sh", "-c", f"echo -n {who} > /who")
            desk.docker("commit", "work", name)
            desk.docker("rm", "work")
            return
        case "import":
            (desk.folder / "in.tar").write_bytes(layer(who))
            desk.docker("import", "in.tar", name)
            return
    desk.docker("build", "-t", "mine", ".")
    if way == "tag":
        desk.docker("tag", "mine", name)
        return
    desk.docker("save", "-o", "mine.tar", "mine")
    rename(desk.folder / "mine.tar", name)
    desk.docker("rmi", "mine")
    desk.docker("load", "-i", "mine.tar")


def rename(archive: Path, name: str) -> None:
    """Have an archive speak of another name."""
    made = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=made, mode="w") as new:
        for entry in old:
            content = old.extractfile(entry)
            data = content.read() if content else b""
            if entry.name == "manifest.json":
                data = data.replace(b"mine:latest", name.encode())
                entry.size = len(data)
            if entry.name not in ("repositories", "index.json"):
                new.addfile(entry, io.BytesIO(data) if content else None)
    archive.write_bytes(made.getvalue())


def says(desk: Desk, name: str) -> str:
    """What a container of hers from this name finds in it; nothing is pulled for it."""
    return desk.docker("run", "--rm", "--pull", "never", name, "cat", "/who")


@pytest.mark.parametrize("way", WAYS)
def test_d20_who_writes_a_registrys_name_first_keeps_it_from_nobody(
    place: Ground, desks: tuple[Desk, Desk], name: str, way: str
) -> None:
    mallory, alice = desks
    write(mallory, way, name)
    assert says(mallory, name) == HERS
    assert name not in alice.names()
    assert alice("docker", "run", "--rm", "--pull", "never", name).code != 0
    alice.docker("pull", name)
    assert (says(mallory, name), says(alice, name)) == (HERS, THEIRS)
    assert all(name in desk.names() and not any("ds01-u" in each for each in desk.names()) for desk in desks)
    write(mallory, way, name, AGAIN)
    assert (says(mallory, name), says(alice, name)) == (AGAIN, THEIRS)
    alice.docker("pull", name)
    assert (says(mallory, name), says(alice, name)) == (AGAIN, THEIRS)
    mallory.docker("rmi", name)
    assert (says(mallory, name), says(alice, name)) == (THEIRS, THEIRS)
    assert not [ref for ref in tagged(place) if ref.startswith("ds01-u")]


@pytest.mark.parametrize("kit", ["0", "1"], ids=["legacy", "buildkit"])
def test_d20_what_is_built_on_a_registrys_name_is_built_on_the_registrys(
    desks: tuple[Desk, Desk], name: str, kit: str
) -> None:
    mallory, alice = desks
    write(mallory, "tag", name)
    if kit == "1":
        alice.docker("pull", name)
    for desk, who in ((alice, THEIRS), (mallory, HERS)):
        desk.write("Dockerfile", f"FROM {name}\nRUN cat /who > /copy\n")
        desk.docker("build", "-t", "built", ".", kit=kit)
        assert desk.docker("run", "--rm", "built", "cat", "/copy") == who


def test_d20_all_tags_of_a_repository_give_everybody_hers(desks: tuple[Desk, Desk], name: str) -> None:
    mallory, alice = desks
    write(mallory, "tag", name)
    alice.docker("pull", "-a", name.rpartition(":")[0])
    assert (says(mallory, name), says(alice, name)) == (HERS, THEIRS)


def test_a_pull_that_brings_nothing_takes_nothing(place: Ground, desks: tuple[Desk, Desk], name: str) -> None:
    mallory, alice = desks
    other = name.replace("lab/tool", "lab/unknown")
    write(mallory, "tag", other)
    assert alice("docker", "pull", other).code != 0
    assert says(mallory, other) == HERS
    mallory.docker("push", other)
    wait(lambda: not [ref for ref in tagged(place) if ref.startswith("ds01-u")])
    assert other in tagged(place)
    mallory.docker("push", other.rpartition(":")[0], "-a")
    alice.docker("pull", other)
    assert (says(mallory, other), says(alice, other)) == (HERS, HERS)


def test_a_pull_waits_for_nobody_who_is_building(place: Ground, desks: tuple[Desk, Desk], name: str) -> None:
    mallory, alice = desks
    mallory.write("who", HERS)
    step = f"sleep 605.{os.getpid()}"
    mallory.write("Dockerfile", f"FROM {IMAGE}\nCOPY who /who\nRUN {step} || true\n")
    with ThreadPoolExecutor(1) as pool:
        build = pool.submit(mallory.docker, "build", "-t", name, ".")
        wait(lambda: begun(step))
        try:
            alice.docker("pull", name)
            assert says(alice, name) == THEIRS
            assert not build.done()
        finally:
            subprocess.run(["pkill", "-f", f"^{step}$"], check=True)
        build.result()
    assert (says(mallory, name), says(alice, name)) == (HERS, THEIRS)


def test_who_pulls_over_her_own_has_the_registrys(place: Ground, desks: tuple[Desk, Desk], name: str) -> None:
    mallory, alice = desks
    write(mallory, "tag", name)
    alice.docker("pull", name)
    mallory.docker("pull", name)
    assert says(mallory, name) == THEIRS
    assert not [ref for ref in tagged(place) if ref.startswith("ds01-u")]


def test_what_is_pushed_is_pulled_by_digest_by_everybody(desks: tuple[Desk, Desk], name: str) -> None:
    mallory, alice = desks
    mine = name.replace("lab/tool", "lab/pushed")
    write(mallory, "tag", mine)
    mallory.docker("push", mine)
    digest = mallory.docker("inspect", "--format", "{{index .RepoDigests 0}}", mine)
    alice.docker("pull", digest)
    assert says(alice, digest) == HERS
