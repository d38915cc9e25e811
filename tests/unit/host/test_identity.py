"""A thread that acts as a user: it alone, with all of the user's rights and none of root's."""

from __future__ import annotations

import errno
import os
import threading
from functools import partial
from pathlib import Path

import pytest

from ds01.adapters.host import kernel
from ds01.adapters.host.identity import NotSwitchedError, opened_as
from ds01.domain.people import Uid, User

ALICE = User(uid=Uid(61001), gid=61001, login="alice", home="", gids=frozenset({61001, 61500, 61501}))
CLOSED = "/dev/null"


def facts(task: str) -> dict[str, list[str]]:
    lines = Path(f"/proc/self/task/{task}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def all_threads() -> dict[str, dict[str, list[str]]]:
    return {task: facts(task) for task in os.listdir("/proc/self/task")}


def null() -> int:
    return os.open(CLOSED, os.O_PATH)


@pytest.mark.root
class TestIdentity:
    def test_only_the_errands_thread_becomes_the_user(self) -> None:
        """While an errand is under way every other thread of ds01d is root as before."""
        inside: dict[str, dict[str, list[str]]] = {}
        errand = ""

        def look() -> int:
            nonlocal errand
            errand = str(threading.get_native_id())
            inside.update(all_threads())
            return null()

        before = facts(str(threading.get_native_id()))
        os.close(opened_as(ALICE, look))
        own = inside.pop(errand)
        assert own["Uid"] == ["0", "0", "0", "61001"]
        assert own["Gid"] == ["0", "0", "0", "61001"]
        assert own["Groups"] == ["61001", "61500", "61501"]
        assert {own[kind][0].strip("0") for kind in ("CapEff", "CapPrm", "CapInh")} == {""}
        assert inside
        for other in inside.values():
            assert (other["Uid"][3], other["Gid"][3], other["CapEff"]) == ("0", "0", before["CapEff"])
            assert other["Groups"] == before["Groups"]

    def test_nothing_of_it_stays_behind(self) -> None:
        before = facts(str(threading.get_native_id()))
        for _ in range(50):
            os.close(opened_as(ALICE, null))
        living = [str(thread.native_id) for thread in threading.enumerate()]
        for after in map(facts, living):
            for kind in ("Uid", "Gid", "Groups", "CapEff", "CapPrm"):
                assert after[kind] == before[kind]

    def test_threads_started_afterwards_are_roots(self) -> None:
        os.close(opened_as(ALICE, null))
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.append(kernel.fsuid()))
        thread.start()
        thread.join()
        assert seen == [0]

    def test_root_rights_cannot_be_had_back(self) -> None:
        def back() -> int:
            kernel.set_groups([0])
            return null()

        with pytest.raises(PermissionError):
            opened_as(ALICE, back)

    def test_root_owned_secrets_are_closed_to_it(self) -> None:
        for secret in ("/etc/shadow", "/proc/1/environ", "/root/."):
            with pytest.raises(PermissionError):
                opened_as(ALICE, partial(os.open, secret, os.O_RDONLY))

    def test_what_the_errand_raises_comes_back(self) -> None:
        with pytest.raises(FileNotFoundError):
            opened_as(ALICE, lambda: os.open("/no/such/place", os.O_PATH))

    def test_an_errand_that_hangs_is_left_and_its_descriptor_closed(self) -> None:
        """A file server that does not answer holds up nobody."""
        go_on, opened = threading.Event(), threading.Event()
        late: list[int] = []

        def slow() -> int:
            go_on.wait(60)
            late.append(null())
            opened.set()
            return late[0]

        with pytest.raises(TimeoutError) as caught:
            opened_as(ALICE, slow, seconds=0.05)
        assert caught.value.errno == errno.ETIMEDOUT
        running = [thread for thread in threading.enumerate() if thread.name == "as uid 61001"]
        go_on.set()
        for thread in running:
            thread.join(60)
        assert opened.is_set()
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(late[0])


@pytest.mark.root
@pytest.mark.parametrize(
    ("uid", "gid"), [(0, 0), (4_294_967_295, 61001), (-1, 61001), (61001, -1), (61001, 4_294_967_295)]
)
def test_ids_that_are_no_users_are_refused(uid: int, gid: int) -> None:
    with pytest.raises(NotSwitchedError):
        opened_as(User(uid=Uid(uid), gid=gid, login="x", home=""), null)
