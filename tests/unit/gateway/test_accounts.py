"""Accounts of the server itself: known at once where its files alone decide, else left to the directory."""

from __future__ import annotations

import pwd
import time
from pathlib import Path

import pytest

from ds01.gateway.accounts import LocalAccounts

LINES = "root:x:0:0:root:/root:/bin/bash\nalice:x:1001:1001::/home/alice:/bin/sh\n"
DAY_NS = 86_400 * 10**9


class Counted(type(Path())):  # type: ignore[misc]
    """A file that counts how often it is read."""

    read = 0

    def read_text(self) -> str:
        self.read += 1
        return str(super().read_text())


class Server:
    """Its two files."""

    def __init__(self, folder: Path, passwd: str = LINES, switch: str = "passwd:  files sss\n") -> None:
        self.passwd, self.switch = folder / "passwd", folder / "nsswitch.conf"
        self.passwd.write_text(passwd)
        self.switch.write_text(switch)

    def login(self, uid: int) -> str | None:
        return LocalAccounts(self.passwd, self.switch).login(uid)


def test_who_is_in_the_files_is_known(tmp_path: Path) -> None:
    server = Server(tmp_path)
    assert [server.login(uid) for uid in (0, 1001, 1002)] == ["root", "alice", None]


def test_of_two_with_one_uid_the_first_counts_as_everywhere(tmp_path: Path) -> None:
    assert Server(tmp_path, LINES + "other:x:1001:1::/:/bin/sh\n").login(1001) == "alice"


@pytest.mark.parametrize(
    "switch",
    ["", "passwd: sss files\n", "passwd: files [SUCCESS=continue] sss\n", "passwd: filesystem\n", "group: files\n",
     "passwd: files\npasswd: sss\n", "passwd: compat\n", "#passwd: files\n"],
)  # fmt: skip
def test_s13_where_others_may_have_the_word_the_directory_is_asked(tmp_path: Path, switch: str) -> None:
    assert Server(tmp_path, switch=switch).login(1001) is None


@pytest.mark.parametrize(
    "switch", ["passwd: files\n", "passwd:\tfiles systemd  \n", "x: y\n passwd : files sss [NOTFOUND=return] ldap\n"]
)
def test_where_the_files_come_first_they_do(tmp_path: Path, switch: str) -> None:
    assert Server(tmp_path, switch=switch).login(1001) == "alice"


@pytest.mark.parametrize(
    "line", ["+@staff::::::", "-bob", "# note", " al:x:1001:1::/:/bin/sh", "al:x:1001", "al::x:::::"]
)
def test_s13_files_that_are_not_plain_are_left_to_the_directory(tmp_path: Path, line: str) -> None:
    assert Server(tmp_path, f"{line}\n{LINES}").login(1001) is None


def test_files_that_are_not_there_say_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.switch.unlink()
    assert server.login(1001) is None


def test_s13_who_is_renamed_or_gone_is_so_at_once(tmp_path: Path) -> None:
    """Also when the file is as large as before and changes a moment after it was read."""
    server = Server(tmp_path)
    accounts = LocalAccounts(server.passwd, server.switch)
    assert accounts.login(1001) == "alice"
    for name in ("malic", "alicf", "bobby"):
        server.passwd.write_text(LINES.replace("alice:", f"{name}:"))
        assert accounts.login(1001) == name
    server.passwd.write_text("")
    assert accounts.login(1001) is None


def test_files_that_rest_are_read_once(tmp_path: Path) -> None:
    server = Server(tmp_path)
    passwd = Counted(server.passwd)
    accounts = LocalAccounts(passwd, server.switch, lambda: time.time_ns() + DAY_NS)
    assert [accounts.login(1001), accounts.login(0)] == ["alice", "root"]
    assert passwd.read == 1


def test_s13_a_file_that_changed_a_moment_ago_is_read_again(tmp_path: Path) -> None:
    """It may change once more within one tick of the clock that stamps files."""
    server = Server(tmp_path)
    passwd = Counted(server.passwd)
    accounts = LocalAccounts(passwd, server.switch)
    assert [accounts.login(1001), accounts.login(0)] == ["alice", "root"]
    assert passwd.read == 2


def test_on_this_machine_it_says_what_the_directory_says() -> None:
    accounts = LocalAccounts()
    told = {entry.pw_uid: accounts.login(entry.pw_uid) for entry in pwd.getpwall()}
    assert {uid: name for uid, name in told.items() if name is not None and pwd.getpwuid(uid).pw_name != name} == {}
