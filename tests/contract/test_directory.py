"""What every directory of users promises, NSS or simulated; with the names real directories have."""

from __future__ import annotations

import contextlib
import os
import pwd
from collections.abc import Iterator

import pytest

from ds01.adapters.nss.directory import NssDirectory
from ds01.domain.people import Uid, User
from ds01.ports.directory import Directory
from ds01.sim.directory import SimDirectory
from tests.accounts import account, group

FIRST_UID = 1_722_000_000 + os.getpid()
GROUP = f"phd{os.getpid()}"
LOGINS = (f"h.baker{os.getpid()}@lab.lan", f"20{os.getpid()}@lab.lan", f"99{os.getpid()}", f"anna{os.getpid()}")


def uid_of(login: str) -> Uid:
    return Uid(FIRST_UID + LOGINS.index(login))


def simulated(login: str) -> User:
    uid = uid_of(login)
    groups = {login, GROUP} if login == LOGINS[0] else {login}
    return User(uid=uid, gid=uid, login=login, home=f"/home/{login}", gids=frozenset({uid}), groups=frozenset(groups))


@pytest.fixture(scope="module", params=["simulated", pytest.param("nss", marks=pytest.mark.root)])
def directory(request: pytest.FixtureRequest) -> Iterator[Directory]:
    """Four people; the first is in a group besides her own."""
    if request.param == "simulated":
        yield SimDirectory(simulated(login) for login in LOGINS)
        return
    with contextlib.ExitStack() as stack:
        stack.enter_context(group(GROUP))
        for login in LOGINS:
            groups = (GROUP,) if login == LOGINS[0] else ()
            stack.enter_context(account(login, uid_of(login), home=f"/home/{login}", groups=groups))
        yield NssDirectory()


class TestDirectory:
    @pytest.mark.parametrize("login", LOGINS)
    def test_w3_names_and_huge_uids_are_found_both_ways(self, directory: Directory, login: str) -> None:
        found = directory.by_login(login)
        assert found is not None
        assert (found.uid, found.login, found.home) == (uid_of(login), login, f"/home/{login}")
        assert directory.by_uid(found.uid) == found

    def test_groups_are_all_groups(self, directory: Directory) -> None:
        found = directory.by_login(LOGINS[0])
        assert found is not None
        assert {GROUP, LOGINS[0]} <= found.groups
        assert found.gid in found.gids

    def test_a_group_is_everybody_in_it(self, directory: Directory) -> None:
        for name in (GROUP, LOGINS[0]):
            members = directory.members(name)
            assert members is not None
            assert [user.login for user in members] == [LOGINS[0]]

    @pytest.mark.parametrize("name", ["no-group-of-this-name", "", "with\0zero"])
    def test_unknown_groups_are_none(self, directory: Directory, name: str) -> None:
        assert directory.members(name) is None

    def test_a_numeric_login_is_a_name_and_no_uid(self, directory: Directory) -> None:
        assert directory.by_login(str(FIRST_UID)) is None

    @pytest.mark.parametrize("login", ["nobody-of-this-name", "", "with\0zero", "with:colon", "*", "-"])
    def test_unknown_logins_are_none(self, directory: Directory, login: str) -> None:
        assert directory.by_login(login) is None

    @pytest.mark.parametrize("uid", [3_999_999_999, 4_294_967_295, -1, 2**40])
    def test_unknown_uids_are_none(self, directory: Directory, uid: int) -> None:
        assert directory.by_uid(Uid(uid)) is None


def test_root_is_found_without_any_account_made() -> None:
    root = NssDirectory().by_uid(Uid(0))
    assert root is not None
    assert root.login == pwd.getpwuid(0).pw_name
    assert 0 in root.gids


def test_s13_a_uid_can_change_hands_in_the_simulation() -> None:
    directory = SimDirectory([User(uid=Uid(1001), gid=1001, login="alice", home="/home/alice")])
    directory.remove(Uid(1001))
    assert directory.by_uid(Uid(1001)) is None
    directory.add(User(uid=Uid(1001), gid=1001, login="zoe", home="/home/zoe"))
    assert directory.by_login("alice") is None
