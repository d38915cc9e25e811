"""Pins on a real Linux: what is mounted is what was checked, and checked with the user's own rights."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ds01.adapters.host import mounts
from ds01.adapters.host.host import LinuxHost
from ds01.adapters.host.opening import opened
from ds01.adapters.host.staging import Staging
from ds01.domain.errors import DISK_FULL, Ds01Error
from ds01.domain.people import Uid, User
from tests.accounts import account
from tests.effort import tries
from tests.unit.host.conftest import ALICE, MALLORY, Place

pytestmark = pytest.mark.root


@contextlib.contextmanager
def mounted(*words: str) -> Iterator[None]:
    subprocess.run(["mount", *words], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", words[-1]], check=True)


def options(source: str) -> frozenset[str]:
    (mount,) = [mount for mount in mounts.mounted() if mount.point == source]
    return mount.options


class TestRace:
    """The path is pointed elsewhere after it was opened, at the worst moment."""

    def mount_after(self, place: Place, path: Path, swap: object) -> os.stat_result:
        """Open ``path`` as alice, let ``swap`` happen, then mount; returns what is staged."""
        staging = Staging(place.base / "run" / "binds")
        with opened(place.alice, str(path), create=False) as fd:
            assert callable(swap)
            swap()
            table = mounts.mounted()
            own = mounts.mount_of(fd, table)
            assert own is not None
            target = staging.place(place.alice.uid, "raced", None)
            staging.mount(fd, target, own, str(path), read_only=False)
        return os.stat(target)

    def test_e5_a_folder_swapped_for_a_link_is_still_the_folder(self, place: Place) -> None:
        work = place.folder("alice/work", ALICE)
        checked = work.stat()

        def swap() -> None:
            work.rename(place.a / "old")
            work.symlink_to("/root")

        assert os.path.samestat(self.mount_after(place, work, swap), checked)

    def test_e6_a_swapped_parent_changes_nothing(self, place: Place) -> None:
        place.folder("alice/parent", ALICE)
        work = place.folder("alice/parent/work", ALICE)
        checked = work.stat()

        def swap() -> None:
            (place.a / "parent").rename(place.a / "old")
            place.folder("mallory/parent", MALLORY)
            place.folder("mallory/parent/work", MALLORY)
            (place.a / "parent").symlink_to(place.m / "parent")

        assert os.path.samestat(self.mount_after(place, work, swap), checked)

    def test_a_file_swapped_for_another_is_still_the_file(self, place: Place) -> None:
        own = place.file("alice/config", ALICE, "hers")
        checked = own.stat()

        def swap() -> None:
            own.rename(place.a / "old")
            own.symlink_to("/etc/shadow")

        assert os.path.samestat(self.mount_after(place, own, swap), checked)

    def test_what_was_removed_in_this_moment_is_refused(self, place: Place) -> None:
        own = place.file("alice/config", ALICE, "hers")

        def swap() -> None:
            own.unlink()
            own.symlink_to("/etc/shadow")

        with pytest.raises(Ds01Error) as caught:
            self.mount_after(place, own, swap)
        assert caught.value.problem.reason == "It was removed or replaced in this moment."
        assert place.host.pinned() == frozenset()

    def test_e6_swapping_in_a_loop_never_shows_anything_else(self, place: Place) -> None:
        """Mallory swaps her folder for links to alice's and root's while ds01d pins it again and again."""
        own = place.folder("mallory/own", MALLORY)
        work = place.m / "work"
        checked = own.stat()
        stop = threading.Event()

        def swap() -> None:
            targets = [place.a, own, Path("/root"), own]
            for count in range(10**9):
                if stop.is_set():
                    return
                fresh = place.m / f"link{count}"
                fresh.symlink_to(targets[count % 4])
                fresh.rename(work)

        work.symlink_to(own)
        swapper = threading.Thread(target=swap)
        swapper.start()
        seen = {"pinned": 0, "refused": 0}
        try:
            for count in range(tries(300)):
                try:
                    pin = place.host.pin(place.mallory, str(work), f"c{count}")
                except Ds01Error:
                    seen["refused"] += 1
                else:
                    seen["pinned"] += 1
                    assert os.path.samestat(os.stat(pin.source), checked)
                    place.host.unpin(f"c{count}")
        finally:
            stop.set()
            swapper.join()
        assert seen["pinned"] > 0
        assert seen["refused"] > 0


class TestIdentity:
    """Everything is opened with the user's own rights."""

    def test_a_closed_folder_on_the_way_stops_her(self, place: Place) -> None:
        place.folder("closed", 0, 0o700)
        place.folder("closed/hers", ALICE)
        assert "alice may not open" in place.refused(place.alice, place.base / "closed/hers")

    def test_her_groups_open_what_they_open(self, place: Place) -> None:
        place.folder("lab", 0, 0o750, group=61500)
        place.folder("lab/hers", ALICE)
        assert "may not open" in place.refused(place.alice, place.base / "lab/hers")
        member = User(uid=Uid(ALICE), gid=ALICE, login="alice", home="", gids=frozenset({61500}))
        assert place.host.pin(member, str(place.base / "lab/hers"), "c1").owner_uid == ALICE

    def test_shared_data_needs_the_right_to_read_it(self, place: Place) -> None:
        share = place.folder("data", 0)
        place.folder("data/ours", 0, 0o750, group=61500)
        place.file("data/secret", 0, "x", mode=0o600)
        place.file("data/public", 0, "x")
        shared = (str(share),)
        assert "may not open" in place.refused(place.alice, share / "ours", shared=shared)
        assert "may not open" in place.refused(place.alice, share / "secret", shared=shared)
        member = User(uid=Uid(ALICE), gid=ALICE, login="alice", home="", gids=frozenset({61500}))
        assert place.host.pin(member, str(share / "ours"), "c1", shared=shared).read_only
        assert place.host.pin(place.alice, str(share / "public"), "c1", shared=shared).read_only

    def test_a_link_in_shared_data_does_not_lead_out_of_it(self, place: Place) -> None:
        share = place.folder("data", 0)
        (share / "out").symlink_to(place.m)
        assert "not to alice" in place.refused(place.alice, share / "out", shared=(str(share),))

    @pytest.mark.parametrize("share", ["", "/", ".", "relative", "//"])
    def test_a_share_that_is_no_folder_shares_nothing(self, place: Place, share: str) -> None:
        place.folder("theirs", 0)
        assert "not to alice" in place.refused(place.alice, place.base / "theirs", shared=(share,))

    def test_a_share_may_itself_be_a_link(self, place: Place) -> None:
        place.folder("disk7", 0)
        (place.base / "data").symlink_to(place.base / "disk7")
        assert place.host.pin(place.alice, str(place.base / "data"), "c1", shared=(str(place.base / "data"),)).read_only

    def test_w3_folders_are_made_as_hers_and_closed(self, place: Place) -> None:
        place.host.pin(place.alice, str(place.a / "workspace/thesis"), "c1", create=True)
        for made in (place.a / "workspace", place.a / "workspace/thesis"):
            facts = made.stat()
            assert (facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)) == (ALICE, ALICE, 0o700)

    def test_w3_a_directory_users_huge_uid_is_no_obstacle(self, place: Place) -> None:
        uid = 1_722_830_498
        baker = User(uid=Uid(uid), gid=uid, login="h.baker@lab.lan", home="")
        place.folder("baker", uid)
        pin = place.host.pin(baker, str(place.base / "baker/workspace"), "c1", create=True)
        assert (pin.owner_uid, os.stat(pin.source).st_uid) == (uid, uid)

    def test_real_accounts_are_named_in_the_refusal(self, place: Place) -> None:
        uid = 1_723_000_000 + os.getpid()
        login = f"h.baker{os.getpid()}@lab.lan"
        place.folder("baker", uid)
        with account(login, uid):
            assert place.refused(place.alice, place.base / "baker") == f"It belongs to {login}, not to alice."


class TestKinds:
    """What is neither a folder nor an ordinary file, and where nothing is ever mounted from."""

    def test_e32_pipes_sockets_and_devices_are_refused(self, place: Place) -> None:
        os.mkfifo(place.a / "pipe")
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(place.a / "socket"))
        os.mknod(place.a / "device", stat.S_IFBLK | 0o600, os.makedev(7, 0))
        for name in ("pipe", "socket", "device"):
            os.chown(place.a / name, ALICE, ALICE)
            assert "neither a folder nor an ordinary file" in place.refused(place.alice, place.a / name)

    @pytest.mark.parametrize(
        "target", ["/proc/self/fd", "/proc/self/root", "/proc/1/root", "/proc/self/cwd", "/dev/fd"]
    )
    def test_e32_links_of_proc_lead_nowhere(self, place: Place, target: str) -> None:
        held = place.folder("held", ALICE, 0o755)
        fd = os.open(held, os.O_PATH)
        try:
            path = f"{target}/{fd}" if target.endswith("fd") else target
            (place.a / "link").symlink_to(path)
            place.refused(place.alice, path)
            place.refused(place.alice, place.a / "link")
        finally:
            os.close(fd)

    @pytest.mark.parametrize(
        "place_of_system", ["/", "/etc", "/dev/shm", "/proc", "/sys", "/run", "/usr/share", "/var/lib"]
    )
    def test_e2_the_machines_own_trees_are_refused(self, place: Place, place_of_system: str) -> None:
        place.refused(place.alice, place_of_system)

    def test_e32_hers_in_dev_shm_is_refused_too(self, place: Place) -> None:
        own = Path(f"/dev/shm/ds01test{os.getpid()}")
        own.mkdir()
        os.chown(own, ALICE, ALICE)
        try:
            assert "/dev, which belongs to the system" in place.refused(place.alice, own)
        finally:
            own.rmdir()

    def test_links_in_a_circle_are_refused(self, place: Place) -> None:
        (place.a / "one").symlink_to(place.a / "two")
        (place.a / "two").symlink_to(place.a / "one")
        assert "in a circle" in place.refused(place.alice, place.a / "one")

    def test_a_link_to_nothing_is_not_made_into_something(self, place: Place) -> None:
        (place.a / "link").symlink_to(place.a / "nothing")
        with pytest.raises(Ds01Error) as caught:
            place.host.pin(place.alice, str(place.a / "link"), "c1", create=True)
        assert "does not exist" in caught.value.problem.reason
        assert not (place.a / "nothing").exists()


class TestMount:
    """How a pin is mounted."""

    def test_e21_a_pin_is_nosuid_and_nodev(self, place: Place) -> None:
        pin = place.host.pin(place.alice, str(place.a), "c1")
        assert {"nosuid", "nodev", "rw"} <= options(pin.source)

    def test_a_read_only_pin_cannot_be_written_even_by_root(self, place: Place) -> None:
        pin = place.host.pin(place.alice, str(place.a), "c1", read_only=True)
        with pytest.raises(OSError, match="Read-only"):
            Path(pin.source, "file").touch()

    def test_flags_of_the_source_are_kept(self, place: Place) -> None:
        disk = place.folder("disk", 0)
        with mounted("-t", "tmpfs", "-o", "noexec,ro,mode=755,uid=61001", "tmpfs", str(disk)):
            pin = place.host.pin(place.alice, str(disk), "c1")
            assert {"noexec", "ro", "nosuid", "nodev"} <= options(pin.source)
            place.host.unpin("c1")

    def test_the_places_of_pins_are_roots_alone(self, place: Place) -> None:
        pin = place.host.pin(place.alice, str(place.a), "c1")
        for folder in list(Path(pin.source).parents)[:3]:
            assert (folder.stat().st_uid, stat.S_IMODE(folder.stat().st_mode)) == (0, 0o700)

    def test_a_place_that_is_open_to_others_is_not_used(self, place: Place) -> None:
        place.folder("run", 0)
        place.folder("run/binds", 0, 0o755)
        with pytest.raises(Ds01Error, match="not a folder of root's alone"):
            place.host.pin(place.alice, str(place.a), "c1")

    def test_mounts_inside_the_folder_are_not_shown(self, place: Place) -> None:
        inner = place.folder("alice/inner", ALICE)
        with mounted("-t", "tmpfs", "tmpfs", str(inner)):
            (inner / "secret").touch()
            pin = place.host.pin(place.alice, str(place.a), "c1")
            assert list(Path(pin.source, "inner").iterdir()) == []

    def test_later_mounts_do_not_come_through(self, place: Place) -> None:
        inner = place.folder("alice/inner", ALICE)
        with mounted("--bind", str(place.a), str(place.a)), mounted("--make-shared", str(place.a)):
            pin = place.host.pin(place.alice, str(place.a), "c1")
            with mounted("-t", "tmpfs", "tmpfs", str(inner)):
                (inner / "secret").touch()
                assert list(Path(pin.source, "inner").iterdir()) == []
            place.host.unpin("c1")
            subprocess.run(["mount", "--bind", str(place.a), str(place.a)], check=True)

    def test_unpinning_takes_nothing_of_hers_away(self, place: Place) -> None:
        place.file("alice/thesis.tex", ALICE, "years of work")
        single = place.file("alice/config", ALICE, "kept")
        place.host.pin(place.alice, str(place.a), "c1")
        place.host.pin(place.alice, str(single), "c1")
        place.host.unpin("c1")
        assert (place.a / "thesis.tex").read_text() == "years of work"
        assert single.read_text() == "kept"
        assert not any((place.base / "run/binds").iterdir())

    def test_a_pin_in_use_goes_when_its_user_is_done(self, place: Place) -> None:
        pin = place.host.pin(place.alice, str(place.a), "c1")
        with open(Path(pin.source, "open"), "w") as held:
            place.host.unpin("c1")
            held.write("still works")
        assert (place.a / "open").read_text() == "still works"

    def test_w1_pins_outlive_ds01d(self, place: Place) -> None:
        first = place.host.pin(place.alice, str(place.a), "c1")
        after = LinuxHost(run=place.base / "run")
        assert after.pinned() == {"c1"}
        second = after.pin(place.alice, str(place.a), "c1")
        assert second.source != first.source
        assert "nosuid" in options(first.source)
        after.unpin("c1")
        assert after.pinned() == frozenset()

    def test_a_leftover_of_a_crash_is_used_again(self, place: Place) -> None:
        pin = place.host.pin(place.alice, str(place.a), "c1")
        subprocess.run(["umount", pin.source], check=True)
        again = place.host.repin(place.alice, str(place.a), "c1", 0)
        assert again.source == pin.source
        assert os.path.samestat(os.stat(pin.source), place.a.stat())

    def test_e5_a_standing_pin_keeps_what_it_had(self, place: Place) -> None:
        work = place.folder("alice/work", ALICE)
        checked = work.stat()
        pin = place.host.pin(place.alice, str(work), "c1")
        work.rename(place.a / "old")
        work.symlink_to("/root")
        assert os.path.samestat(os.stat(place.host.repin(place.alice, str(work), "c1", 0).source), checked)
        assert os.path.samestat(os.stat(pin.source), checked)

    def test_a_folder_that_was_deleted_is_said_and_one_that_came_back_is_taken(self, place: Place) -> None:
        work = place.folder("alice/work", ALICE)
        pin = place.host.pin(place.alice, str(work), "c1")
        work.rmdir()
        with pytest.raises(Ds01Error, match="work"):
            place.host.repin(place.alice, str(work), "c1", 0)
        back = place.folder("alice/work", ALICE)
        assert place.host.repin(place.alice, str(work), "c1", 0).source == pin.source
        assert os.path.samestat(os.stat(pin.source), back.stat())

    def test_a_full_disk_is_said(self, place: Place) -> None:
        disk = place.folder("disk", 0)
        with mounted("-t", "tmpfs", "-o", "nr_inodes=2,mode=755,uid=61001", "tmpfs", str(disk)):
            with pytest.raises(Ds01Error) as caught:
                place.host.pin(place.alice, str(disk / "a/b/c"), "c1", create=True)
            assert caught.value.kind is DISK_FULL


class TestSafe:
    """Whether a setuid file or a device node made in a container could do harm on the host."""

    def safe(self, place: Place, path: Path) -> bool:
        pin = place.host.pin(place.alice, str(path), "c1")
        place.host.unpin("c1")
        return pin.safe

    def test_e21_a_file_system_that_honours_setuid_is_unsafe(self, place: Place) -> None:
        disk = place.folder("disk", 0)
        for flags in ("suid,dev", "nosuid,dev", "suid,nodev"):
            with mounted("-t", "tmpfs", "-o", f"{flags},mode=755,uid=61001", "tmpfs", str(disk)):
                assert not self.safe(place, disk)

    def test_a_file_system_without_setuid_and_devices_is_safe(self, place: Place) -> None:
        disk = place.folder("disk", 0)
        with mounted("-t", "tmpfs", "-o", "nosuid,nodev,mode=755,uid=61001", "tmpfs", str(disk)):
            assert self.safe(place, disk)

    def test_e22_where_anybodys_file_can_be_linked_nothing_is_safe(self, place: Place, tmp_path: Path) -> None:
        (tmp_path / "fs").mkdir()
        for value, expected in (("0\n", False), ("1\n", True)):
            (tmp_path / "fs/protected_hardlinks").write_text(value)
            host = LinuxHost(run=place.base / "run", sysctl=tmp_path)
            assert host.pin(place.alice, str(place.a), f"c{expected}", read_only=True).safe is expected

    def test_the_same_files_elsewhere_with_setuid_are_unsafe(self, place: Place) -> None:
        disk, other = place.folder("disk", 0), place.folder("other", 0)
        with mounted("-t", "tmpfs", "-o", "mode=755,uid=61001", "tmpfs", str(disk)):
            place.folder("disk/home", ALICE)
            with mounted("--bind", str(disk / "home"), str(other)):
                subprocess.run(["mount", "-o", "remount,bind,nosuid,nodev", str(other)], check=True)
                assert not self.safe(place, other)

    def test_a_bind_that_covers_the_only_other_way_is_safe(self, place: Place) -> None:
        disk = place.folder("disk", 0)
        with mounted("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(disk)):
            home = place.folder("disk/home", ALICE)
            with mounted("--bind", str(home), str(home)):
                subprocess.run(["mount", "-o", "remount,bind,nosuid,nodev", str(home)], check=True)
                assert self.safe(place, home)


class TestNothingIsLeft:
    """Threads and descriptors after many pins and refusals."""

    def test_no_descriptor_is_left_open(self, place: Place) -> None:
        place.file("alice/file", ALICE)

        def work() -> None:
            for count in range(tries(50)):
                place.host.pin(place.alice, str(place.a / "new"), f"c{count}", create=True)
                place.host.unpin(f"c{count}")
                for path in (place.m, place.a / "none/x", place.a / "file/x", "/etc/shadow", "/root/x"):
                    place.refused(place.alice, path)

        work()
        before = sorted(os.listdir("/proc/self/fd"))
        work()
        assert sorted(os.listdir("/proc/self/fd")) == before
