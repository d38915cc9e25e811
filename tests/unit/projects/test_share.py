"""Sharing a project: somebody may get to exactly that folder, and no longer when it is taken back."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

from ds01.domain.errors import Ds01Error
from ds01.projects import acl, share, tree
from ds01.projects.acl import Who

BOB, EVE = 54321, 54322


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a project in it, both private."""
    for above in tmp_path.parents[:3]:
        if above.stat().st_uid == os.geteuid():
            above.chmod(above.stat().st_mode | 0o011)
    tmp_path.chmod(0o700)
    folder = tmp_path / "workspace/thesis"
    (folder / "src").mkdir(parents=True, mode=0o700)
    (tmp_path / "workspace").chmod(0o700)
    folder.chmod(0o700)
    for path, mode in (("ds01.toml", 0o600), ("src/run.sh", 0o700), (".env", 0o600), ("shared.txt", 0o640)):
        (folder / path).write_text("[project]\n" if path == "ds01.toml" else "secret\n")
        (folder / path).chmod(mode)
    (folder / "link").symlink_to("/etc/shadow")
    (tmp_path / "diary").write_text("mine")
    (tmp_path / "diary").chmod(0o600)
    return tmp_path


def can(uid: int, script: str) -> bool:
    """Whether a user, of no group of ours, can do this."""
    words = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "sh", "-c", script]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def modes(home: Path) -> dict[str, str]:
    """The mode and the access list of everything."""
    found = {}
    for path in (home, *home.rglob("*")):
        if not path.is_symlink():
            lists = [name for name in (acl.ACCESS, acl.DEFAULT) if name in os.listxattr(path)]
            found[str(path)] = f"{path.stat().st_mode:o} {lists}"
    return found


@pytest.mark.root
def test_a_teammate_may_read_and_nobody_else(home: Path) -> None:
    folder = home / "workspace/thesis"
    before = modes(home)
    result = share.begin(str(folder), str(home), Who(tag=acl.USER, id=BOB), write=False)
    assert result.left_out == ()
    assert can(BOB, f"cat {folder}/ds01.toml {folder}/shared.txt && {folder}/src/run.sh || test -x {folder}/src/run.sh")
    for refused in (f"echo x >> {folder}/ds01.toml", f"touch {folder}/new", f"cat {folder}/.env", f"ls {home}",
                    f"ls {home}/workspace", f"cat {home}/diary", f"cat {folder}/link"):  # fmt: skip
        assert not can(BOB, refused), refused
    assert not can(EVE, f"cat {folder}/ds01.toml")
    (folder / "src/later.py").write_text("")
    assert can(BOB, f"cat {folder}/src/later.py")
    assert share.with_whom(str(folder)) == ((Who(tag=acl.USER, id=BOB), False),)
    (folder / "src/later.py").unlink()
    share.end(str(folder), str(home), Who(tag=acl.USER, id=BOB))
    assert not can(BOB, f"cat {folder}/ds01.toml")
    assert modes(home) == before


@pytest.mark.root
def test_a_teammate_may_write_and_both_can_use_what_she_made(home: Path) -> None:
    folder = home / "workspace/thesis"
    share.begin(str(folder), str(home), Who(tag=acl.USER, id=BOB), write=True)
    assert can(BOB, f"echo x >> {folder}/ds01.toml && mkdir {folder}/hers && touch {folder}/hers/new")
    share.begin(str(folder), str(home), Who(tag=acl.USER, id=BOB), write=False)
    assert not can(BOB, f"echo x >> {folder}/ds01.toml")


@pytest.mark.root
def test_the_way_stays_open_while_another_project_is_shared(home: Path) -> None:
    bob, eve = Who(tag=acl.USER, id=BOB), Who(tag=acl.USER, id=EVE)
    other = home / "workspace/paper"
    other.mkdir(mode=0o700)
    (other / "ds01.toml").write_text("")
    for folder in ("thesis", "paper"):
        share.begin(str(home / "workspace" / folder), str(home), bob, write=False)
    share.begin(str(other), str(home), eve, write=False)
    share.end(str(other), str(home), bob)
    assert can(BOB, f"cat {home}/workspace/thesis/ds01.toml")
    assert not can(BOB, f"cat {other}/ds01.toml")
    assert can(EVE, f"cat {other}/ds01.toml")


@pytest.mark.root
def test_files_of_others_are_left_and_listed(home: Path) -> None:
    folder = home / "workspace/thesis"
    os.chown(folder / "shared.txt", EVE, EVE)
    done = share.begin(str(folder), str(home), Who(tag=acl.USER, id=BOB), write=False)
    assert done.left_out == ("shared.txt",)
    assert acl.ACCESS not in os.listxattr(folder / "shared.txt")


@pytest.mark.root
def test_what_was_closed_only_by_the_way_to_it_is_named(home: Path) -> None:
    (home / "workspace/open").mkdir(mode=0o755)
    (home / "workspace/closed").mkdir(mode=0o700)
    result = share.begin(str(home / "workspace/thesis"), str(home), Who(tag=acl.USER, id=BOB), write=False)
    assert result.reachable == (str(home / "workspace/open"),)
    home.chmod(0o755)
    (home / "workspace").chmod(0o755)
    again = share.begin(str(home / "workspace/thesis"), str(home), Who(tag=acl.USER, id=EVE), write=False)
    assert again.reachable == ()


def test_somebody_is_a_login_or_a_group_and_not_oneself() -> None:
    assert share.name_of(share.somebody("nobody")) == "nobody"
    assert share.somebody("group:nogroup").tag == acl.GROUP
    for name, said in (
        ("root", "can read it already"),
        ("no-such-login", "nobody called"),
        ("group:no-such", "nobody"),
    ):
        with pytest.raises(Ds01Error, match=said):
            share.somebody(name)


BOB_ = Who(tag=acl.USER, id=BOB)
CAROL = Who(tag=acl.USER, id=EVE)


def effective(path: Path, who: Who, which: str = acl.ACCESS) -> int:
    """What a list lets somebody do, by its entry and its mask."""
    entries = {
        (tag, id_): bits for tag, bits, id_ in struct.iter_unpack("<HHI", os.getxattr(path, which)[4:])
    }  # fmt: skip
    return int(entries.get((who.tag, who.id), 0) & entries.get((0x10, 0xFFFFFFFF), 7))


@pytest.mark.root
def test_what_the_owner_closed_stays_closed_to_everybody_named_before(home: Path) -> None:
    shared = home / "workspace/thesis/shared.txt"
    fd = os.open(shared, os.O_RDONLY)
    acl.allow(fd, BOB_, acl.READ | acl.WRITE)
    shared.chmod(0o600)
    acl.allow(fd, CAROL, acl.READ)
    assert (effective(shared, BOB_), effective(shared, CAROL)) == (0, acl.READ)
    assert shared.stat().st_mode & 0o777 == 0o640, "the mask: what carol needs, and no more"
    acl.forget(fd, BOB_)
    acl.forget(fd, CAROL)
    os.close(fd)
    assert shared.stat().st_mode & 0o777 == 0o600
    assert os.listxattr(shared) == []


@pytest.mark.root
def test_forgetting_one_of_two_gives_the_other_nothing_back(home: Path) -> None:
    shared = home / "workspace/thesis/shared.txt"
    fd = os.open(shared, os.O_RDONLY)
    acl.allow(fd, BOB_, acl.READ | acl.WRITE)
    acl.allow(fd, CAROL, acl.READ)
    shared.chmod(0o600)
    acl.forget(fd, CAROL)
    os.close(fd)
    assert effective(shared, BOB_) == 0
    assert shared.stat().st_mode & 0o777 == 0o600


@pytest.mark.root
def test_the_way_opens_again_after_the_owner_closed_it(home: Path) -> None:
    folder = home / "workspace/thesis"
    share.begin(str(folder), str(home), BOB_, write=False)
    home.chmod(0o700)
    assert not can(BOB, f"cat {folder}/ds01.toml")
    share.begin(str(folder), str(home), BOB_, write=False)
    assert can(BOB, f"cat {folder}/ds01.toml")
    home.chmod(0o700)
    share.end(str(folder), str(home), BOB_)
    assert os.listxattr(home) == []


@pytest.mark.root
def test_the_owners_group_may_not_read_what_comes_later(home: Path) -> None:
    folder = home / "workspace/thesis"
    os.chown(folder, 0, EVE)
    share.begin(str(folder), str(home), BOB_, write=True)
    (folder / "later").mkdir(mode=0o777)
    assert os.stat(folder).st_gid == EVE
    entries = struct.iter_unpack("<HHI", os.getxattr(folder, acl.DEFAULT)[4:])
    assert [bits for tag, bits, _ in entries if tag == 0x04] == [0], "g:: of the default list"


@pytest.mark.root
def test_a_teammate_who_may_write_may_not_write_in_a_git_folder(home: Path) -> None:
    folder = home / "workspace/thesis"
    subprocess.run(["git", "init", "-q", folder], check=True)
    subprocess.run(["git", "init", "-q", "--bare", folder / "bare"], check=True)
    share.begin(str(folder), str(home), BOB_, write=True)
    assert can(BOB, f"echo x >> {folder}/ds01.toml && cat {folder}/.git/HEAD {folder}/.git/config")
    for place in (folder / ".git", folder / "bare"):
        for refused in (f"echo x >> {place}/config", f"touch {place}/hooks/pre-commit", f"touch {place}/new",
                        f"rm {place}/HEAD"):  # fmt: skip
            assert not can(BOB, refused), refused
        (place / "later").write_text("")
        assert not can(BOB, f"echo x >> {place}/later")


@pytest.mark.root
def test_a_git_folder_that_was_shared_to_write_is_closed_by_sharing_again(home: Path) -> None:
    folder = home / "workspace/thesis"
    share.begin(str(folder), str(home), BOB_, write=True)
    subprocess.run(["git", "init", "-q", folder], check=True)
    assert can(BOB, f"touch {folder}/.git/new"), "what comes later inherits"
    share.begin(str(folder), str(home), BOB_, write=True)
    assert not can(BOB, f"touch {folder}/.git/new2")
    assert not can(BOB, f"echo x >> {folder}/.git/config")


SECRETS = (".env.local", ".netrc", "kaggle.json", ".git-credentials", "id_ed25519", "server.pem", "server.key",
           ".cache/token", ".ssh/known", ".aws/credentials", ".config/key", ".kaggle/kaggle.json")  # fmt: skip


@pytest.mark.root
def test_secrets_are_left_out_and_named_apart_from_what_is_somebody_elses(home: Path) -> None:
    folder = home / "workspace/thesis"
    for name in SECRETS:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("secret")
    os.chown(folder / "shared.txt", EVE, EVE)
    done = share.begin(str(folder), str(home), BOB_, write=False)
    assert set(done.private) == {".env", *(name.partition("/")[0] for name in SECRETS)}
    assert done.left_out == ("shared.txt",)
    for name in SECRETS:
        assert (folder / name).stat().st_mode & 0o004, "everybody may, who gets there"
        assert not can(BOB, f"cat {folder}/{name}"), name
        assert not can(BOB, f"ls {folder}/{name.partition('/')[0]}/"), name
    assert acl.ACCESS not in os.listxattr(folder / ".env"), "it is closed already"
    share.end(str(folder), str(home), BOB_)
    assert not any(os.listxattr(path) for path in folder.rglob("*") if not path.is_symlink())


@pytest.mark.root
def test_a_secret_that_came_later_is_closed_by_sharing_again_and_by_stopping(home: Path) -> None:
    folder = home / "workspace/thesis"
    share.begin(str(folder), str(home), BOB_, write=False)
    (folder / ".ssh").mkdir()
    (folder / ".ssh/id_rsa").write_text("secret")
    (folder / "late.key").write_text("secret")
    share.begin(str(folder), str(home), BOB_, write=False)
    assert not can(BOB, f"cat {folder}/.ssh/id_rsa")
    assert not can(BOB, f"cat {folder}/late.key")
    (folder / "later.key").write_text("secret")
    share.end(str(folder), str(home), BOB_)
    assert acl.ACCESS not in os.listxattr(folder / "later.key")


@pytest.mark.root
@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("[remote]\n\turl = https://ada:token@example.org/x.git\n", True),
        ("[http]\n\textraHeader = Authorization: x\n", True),
        ("[remote]\n\turl = git@example.org:x.git\n", False),
    ],
)
def test_a_git_config_with_a_password_is_a_secret(home: Path, text: str, private: bool) -> None:
    folder = home / "workspace/thesis"
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text(text)
    done = share.begin(str(folder), str(home), BOB_, write=False)
    assert (".git/config" in done.private) is private
    assert can(BOB, f"cat {folder}/.git/config") is not private


@pytest.mark.root
def test_files_of_the_home_that_others_may_read_are_named(home: Path) -> None:
    (home / "notes").write_text("mine")
    (home / "notes").chmod(0o644)
    done = share.begin(str(home / "workspace/thesis"), str(home), BOB_, write=False)
    assert done.reachable == (str(home / "notes"),)


@pytest.mark.root
def test_the_owner_may_read_and_delete_what_a_teammate_made(home: Path) -> None:
    for path in (home, *home.rglob("*")):
        os.chown(path, EVE, EVE, follow_symlinks=False)
    folder = home / "workspace/thesis"
    code = (
        "import os, sys; from ds01.projects import share; from ds01.projects.acl import Who;"
        f"share.begin({str(folder)!r}, {str(home)!r}, Who(tag=2, id={BOB}), write=True)"
    )
    as_owner(code)
    assert can(BOB, f"mkdir {folder}/hers && echo x > {folder}/hers/new && mkdir {folder}/hers/deep")
    assert can(EVE, f"cat {folder}/hers/new && touch {folder}/hers/deep/mine")
    assert can(EVE, f"rm -r {folder}/hers")
    as_owner(code.replace("begin", "end").replace(", write=True", ""))
    assert not any(os.listxattr(path) for path in (home, *home.rglob("*")) if not path.is_symlink())


def as_owner(code: str) -> None:
    """Run this as EVE, with the modules that are loaded here."""
    child = os.fork()
    if child == 0:
        code_of_child = 1
        try:
            os.setgroups([])
            os.setgid(EVE)
            os.setuid(EVE)
            exec(code, {})
            code_of_child = 0
        finally:
            os._exit(code_of_child)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.root
def test_stopping_names_everything_that_is_somebody_elses(home: Path) -> None:
    folder = home / "workspace/thesis"
    share.begin(str(folder), str(home), BOB_, write=True)
    assert can(BOB, f"mkdir {folder}/hers && touch {folder}/hers/a {folder}/hers/b && ln -s / {folder}/hers/link")
    (folder / "hers/mine").write_text("")
    done = share.end(str(folder), str(home), BOB_)
    assert set(done.left_out) == {"hers", "hers/a", "hers/b", "hers/link"}
    assert acl.ACCESS not in os.listxattr(folder / "hers/mine")


@pytest.mark.root
def test_stopping_closes_a_folder_before_it_looks_into_it(home: Path) -> None:
    folder = home / "workspace/thesis"
    (folder / "src/deep").mkdir()
    seen: list[str] = []
    tree.each(str(folder), lambda found: seen.append(found.path), inside_first=False)
    assert seen.index(".") < seen.index("src") < seen.index("src/deep")
    seen.clear()
    tree.each(str(folder), lambda found: seen.append(found.path), inside_first=True)
    assert seen.index("src/deep") < seen.index("src") < seen.index(".") == len(seen) - 1


@pytest.mark.root
def test_a_folder_that_goes_too_deep_is_left_and_named(home: Path) -> None:
    folder = home / "workspace/thesis"
    (folder / "/".join(["d"] * (tree.DEEPEST + 1))).mkdir(parents=True)
    done = share.end(str(folder), str(home), BOB_)
    assert done.left_out == ("/".join(["d"] * tree.DEEPEST),)
