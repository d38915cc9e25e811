"""What every host promises about pins, real or simulated."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from ds01.adapters.host.host import LinuxHost
from ds01.domain.container import ContainerId
from ds01.domain.devices import NodeKind
from ds01.domain.errors import BAD_BIND, BAD_WORKSPACE, Ds01Error
from ds01.domain.guard import StartGrant
from ds01.domain.people import Uid, User
from ds01.ports.host import Host
from ds01.runc import launcher
from ds01.sim.host import SimHost


class World(Protocol):
    """A host and two people on it."""

    host: Host
    alice: User
    mallory: User
    base: str

    def put(self, path: str, owner: int, *, folder: bool = True, link: str = "") -> None: ...
    def take(self, path: str) -> None: ...
    def move(self, path: str, to: str) -> None: ...
    def text(self, path: str, owner: User) -> str:
        """A file that must be hers alone."""
        ...


class SimWorld:
    def __init__(self) -> None:
        self.sim = SimHost()
        self.host: Host = self.sim
        self.base = "/home"
        self.alice = User(uid=Uid(61001), gid=61001, login="alice", home="/home/alice")
        self.mallory = User(uid=Uid(61002), gid=61002, login="mallory", home="/home/mallory")
        for user in (self.alice, self.mallory):
            self.put(user.home, user.uid)

    def put(self, path: str, owner: int, *, folder: bool = True, link: str = "") -> None:
        self.sim.put(path, owner, folder=folder, link=link)

    def take(self, path: str) -> None:
        self.sim.take(path)

    def move(self, path: str, to: str) -> None:
        self.sim.move(path, to)

    def text(self, path: str, owner: User) -> str:
        return self.sim.texts[path]


class RealWorld:
    def __init__(self, base: str) -> None:
        self.base = base
        self.host: Host = LinuxHost(run=Path(base, "run"))
        self.alice = User(uid=Uid(61001), gid=61001, login="alice", home=f"{base}/alice")
        self.mallory = User(uid=Uid(61002), gid=61002, login="mallory", home=f"{base}/mallory")
        for user in (self.alice, self.mallory):
            self.put(user.home, user.uid)

    def put(self, path: str, owner: int, *, folder: bool = True, link: str = "") -> None:
        if link:
            os.symlink(link, path)
        elif folder:
            os.mkdir(path, 0o755)
        else:
            Path(path).write_text("something")
        os.chown(path, owner, owner, follow_symlinks=False)

    def take(self, path: str) -> None:
        shutil.rmtree(path)

    def move(self, path: str, to: str) -> None:
        os.rename(path, to)

    def text(self, path: str, owner: User) -> str:
        found = os.stat(path)
        assert (found.st_uid, found.st_mode & 0o777) == (owner.uid, 0o600)
        return Path(path).read_text()


@pytest.fixture(params=["simulated", pytest.param("linux", marks=pytest.mark.root)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "simulated":
        yield SimWorld()
        return
    base = tempfile.mkdtemp(prefix="ds01h", dir="/var/tmp")
    os.chmod(base, 0o755)
    real = RealWorld(base)
    yield real
    for key in real.host.pinned():
        real.host.unpin(key)
    shutil.rmtree(base)


def refusal(world: World, user: User, path: str, *, create: bool = False, folder: bool = False) -> str:
    """The sentence a pin is refused with; afterwards nothing of it is left."""
    with pytest.raises(Ds01Error) as caught:
        world.host.pin(user, path, "refused", create=create, folder=folder)
    assert caught.value.kind is BAD_BIND
    assert "refused" not in world.host.pinned()
    return f"{caught.value.problem.message} {caught.value.problem.reason}"


class TestHost:
    def test_a_volume_stays_marked_for_as_long_as_it_is_there(self, world: World) -> None:
        folders = [f"{world.base}/{name}/_data" for name in ("v", "w")]
        for folder in folders:
            world.put(folder.removesuffix("/_data"), 0)
            world.put(folder, world.alice.uid)
        assert [world.host.is_reached(folder) for folder in folders] == [False, False]
        for _ in range(2):
            world.host.mark_reached(folders[0])
            assert [world.host.is_reached(folder) for folder in folders] == [True, False]
        world.take(f"{world.base}/v")
        world.put(f"{world.base}/v", 0)
        world.put(folders[0], world.alice.uid)
        assert not world.host.is_reached(folders[0])

    def test_her_own_folder_is_pinned_under_its_key(self, world: World) -> None:
        pin = world.host.pin(world.alice, world.alice.home, "c1")
        assert (pin.real, pin.owner_uid, pin.is_folder) == (world.alice.home, world.alice.uid, True)
        assert pin.source.endswith(f"/binds/{world.alice.uid}/c1/0")
        assert world.host.pinned() == {"c1"}

    def test_pins_of_one_container_are_numbered(self, world: World) -> None:
        world.put(f"{world.alice.home}/data", world.alice.uid)
        first = world.host.pin(world.alice, world.alice.home, "c1")
        second = world.host.pin(world.alice, f"{world.alice.home}/data", "c1")
        assert (first.source[-2:], second.source[-2:]) == ("/0", "/1")

    def test_a_single_file_can_be_pinned(self, world: World) -> None:
        world.put(f"{world.alice.home}/config", world.alice.uid, folder=False)
        assert not world.host.pin(world.alice, f"{world.alice.home}/config", "c1").is_folder

    def test_a_link_of_hers_to_a_folder_of_hers_is_followed(self, world: World) -> None:
        world.put(f"{world.alice.home}/real", world.alice.uid)
        world.put(f"{world.alice.home}/link", world.alice.uid, link=f"{world.alice.home}/real")
        assert world.host.pin(world.alice, f"{world.alice.home}/link", "c1").real == f"{world.alice.home}/real"

    def test_w5_somebody_elses_folder_is_refused(self, world: World) -> None:
        assert "not to mallory" in refusal(world, world.mallory, world.alice.home)

    def test_e4_a_link_to_somebody_elses_folder_is_refused(self, world: World) -> None:
        world.put(f"{world.mallory.home}/link", world.mallory.uid, link=world.alice.home)
        assert "not to mallory" in refusal(world, world.mallory, f"{world.mallory.home}/link")

    def test_a_missing_folder_is_refused(self, world: World) -> None:
        assert "does not exist" in refusal(world, world.alice, f"{world.alice.home}/none/deep")

    def test_missing_folders_are_made_as_hers(self, world: World) -> None:
        pin = world.host.pin(world.alice, f"{world.alice.home}/workspace/thesis", "c1", create=True)
        assert (pin.owner_uid, pin.real) == (world.alice.uid, f"{world.alice.home}/workspace/thesis")

    def test_nothing_is_made_where_she_may_not(self, world: World) -> None:
        refusal(world, world.mallory, f"{world.alice.home}/planted", create=True)

    def test_a_file_on_the_way_is_named(self, world: World) -> None:
        world.put(f"{world.alice.home}/workspace", world.alice.uid, folder=False)
        said = refusal(world, world.alice, f"{world.alice.home}/workspace/thesis", create=True)
        assert f"'{world.alice.home}/workspace' is a file, not a folder" in said

    def test_a_file_where_the_folder_should_be_is_refused(self, world: World) -> None:
        world.put(f"{world.alice.home}/thesis", world.alice.uid, folder=False)
        said = refusal(world, world.alice, f"{world.alice.home}/thesis", create=True, folder=True)
        assert "is a file, not a folder" in said

    @pytest.mark.parametrize(
        ("path", "says"),
        [
            ("relative/path", "not absolute"),
            ("", "not absolute"),
            ("/home/alice/../mallory", "'..'"),
            ("/tmp\n/etc", "control character"),
            ("/tmp\0/etc", "control character"),
            ("/home/\udc80", "not valid text"),
            ("/" + "a" * 300, "too long"),
            ("/home/" + "a/" * 3000, "too long"),
        ],
    )
    def test_e7_text_that_is_no_plain_path_is_refused(self, world: World, path: str, says: str) -> None:
        assert says in refusal(world, world.alice, path)

    def test_nothing_is_mounted_for_root(self, world: World) -> None:
        root = User(uid=Uid(0), gid=0, login="root", home="/root")
        refusal(world, root, "/root")

    def test_shared_data_is_read_only_and_never_safe(self, world: World) -> None:
        share = f"{world.base}/data"
        world.put(share, 0)
        world.put(f"{share}/imagenet", 0)
        pin = world.host.pin(world.alice, f"{share}/imagenet", "c1", shared=(share,))
        assert (pin.read_only, pin.safe) == (True, False)

    def test_what_only_looks_like_a_share_is_refused(self, world: World) -> None:
        world.put(f"{world.base}/data", 0)
        world.put(f"{world.base}/data-private", 0)
        with pytest.raises(Ds01Error):
            world.host.pin(world.alice, f"{world.base}/data-private", "c1", shared=(f"{world.base}/data",))

    def test_a_read_only_pin_of_hers_is_safe(self, world: World) -> None:
        pin = world.host.pin(world.alice, world.alice.home, "c1", read_only=True)
        assert (pin.read_only, pin.safe) == (True, True)

    def test_unpin_undoes_all_of_a_key_and_only_that(self, world: World) -> None:
        world.host.pin(world.alice, world.alice.home, "c1")
        world.host.pin(world.alice, world.alice.home, "c1")
        world.host.pin(world.alice, world.alice.home, "c2")
        world.host.unpin("c1")
        world.host.unpin("c1")
        assert world.host.pinned() == {"c2"}

    def test_repin_makes_the_old_place_again(self, world: World) -> None:
        pin = world.host.repin(world.alice, world.alice.home, "c1", 3)
        assert pin.source.endswith("/c1/3")

    def test_a_standing_pin_says_what_it_said_when_made(self, world: World) -> None:
        world.put(f"{world.base}/data", 0)
        made = [
            world.host.pin(world.alice, world.alice.home, "c1"),
            world.host.pin(world.alice, world.alice.home, "c1", read_only=True),
            world.host.pin(world.alice, f"{world.base}/data", "c1", shared=(f"{world.base}/data",)),
        ]
        again = [
            world.host.repin(world.alice, pin.real, "c1", index, shared=(f"{world.base}/data",))
            for index, pin in enumerate(made)
        ]
        assert again == made

    def test_e5_repin_leaves_a_standing_pin_alone(self, world: World) -> None:
        world.put(f"{world.alice.home}/work", world.alice.uid)
        first = world.host.pin(world.alice, f"{world.alice.home}/work", "c1")
        world.move(f"{world.alice.home}/work", f"{world.alice.home}/old")
        world.put(f"{world.alice.home}/work", world.mallory.uid)
        assert world.host.repin(world.alice, f"{world.alice.home}/work", "c1", 0).source == first.source

    def test_e5_what_came_for_a_deleted_folder_is_judged_like_any_other(self, world: World) -> None:
        work = f"{world.alice.home}/work"
        world.put(work, world.alice.uid)
        first = world.host.pin(world.alice, work, "c1")
        world.take(work)
        with pytest.raises(Ds01Error):
            world.host.repin(world.alice, work, "c1", 0)
        world.put(work, world.mallory.uid)
        with pytest.raises(Ds01Error):
            world.host.repin(world.alice, work, "c1", 0)
        world.take(work)
        world.put(work, world.alice.uid)
        assert world.host.repin(world.alice, work, "c1", 0).source == first.source

    def test_lines_are_added_to_a_file_of_hers_each_once(self, world: World) -> None:
        world.put(f"{world.alice.home}/thesis", world.alice.uid)
        workspace = f"{world.alice.home}/thesis"
        world.host.add_lines(world.alice, workspace, ".ds01/list.txt", ["six==1.0", "a\nb"])
        world.host.add_lines(world.alice, workspace, ".ds01/list.txt", ["six==1.0", "ffmpeg  # apt"])
        assert world.text(f"{workspace}/.ds01/list.txt", world.alice) == "six==1.0\nffmpeg  # apt\n"

    def test_w5_lines_are_added_to_nothing_of_somebody_else(self, world: World) -> None:
        for workspace in (world.mallory.home, f"{world.base}/nowhere"):
            with pytest.raises(Ds01Error, match="was not written") as caught:
                world.host.add_lines(world.alice, workspace, ".ds01/list.txt", ["six==1.0"])
            assert caught.value.kind is BAD_WORKSPACE

    def test_what_is_at_a_path_of_dev_is_told(self, world: World) -> None:
        found = world.host.device("/dev/null")
        assert found is not None
        assert (found.path, found.kind, found.major, found.minor) == ("/dev/null", NodeKind.CHARACTER, 1, 3)
        assert "mem" in found.drivers
        assert world.host.device("/dev/nothing-is-here") is None

    def test_the_boot_id_stays_while_the_host_runs(self, world: World) -> None:
        assert world.host.boot_id() == world.host.boot_id() != ""

    def test_a_grant_counts_until_it_is_withdrawn(self, world: World) -> None:
        guard = guard_of(world)
        first = grant("a", as_owner=True, binds=("/x/0",), volumes=("v",), gpus=("GPU-a",))
        world.host.grant(guard, first)
        world.host.grant(guard, grant("b"))
        assert set(world.host.grants(guard)) == {first, grant("b")}
        world.host.grant(guard, grant("a"))
        world.host.withdraw(guard, ContainerId("b"))
        world.host.withdraw(guard, ContainerId("b"))
        assert world.host.grants(guard) == (grant("a"),)

    def test_a_grant_with_gpus_that_is_spent_stays_on_record(self, world: World) -> None:
        guard = guard_of(world)
        with_gpu = grant("a", gpus=("GPU-a",))
        world.host.grant(guard, with_gpu)
        world.host.grant(guard, grant("b"))
        for container in ("a", "a", "b", "c"):
            world.host.spend(guard, ContainerId(container))
        assert set(world.host.grants(guard)) == {replace(with_gpu, used=True), grant("b")}
        world.host.grant(guard, with_gpu)
        assert not any(each.used for each in world.host.grants(guard))

    def test_a_guard_that_refused_nothing_tells_nothing(self, world: World) -> None:
        guard = guard_of(world)
        world.host.publish(guard, "/var/lib/docker")
        assert world.host.refused(guard) == ()
        assert world.host.grants(guard) == ()


def grant(container: str, *, as_owner: bool = False, **more: Any) -> StartGrant:
    return StartGrant(container=ContainerId(container), uid=61001, gid=61001, as_owner=as_owner, **more)


def guard_of(world: World) -> str:
    """The folder of a guard on this host."""
    if isinstance(world, SimWorld):
        return "/var/lib/ds01/guard"
    folder = Path(world.base, "guard")
    launcher.write(folder, Path("/var/lib/docker"), "/usr/sbin/runc")
    return str(folder)
