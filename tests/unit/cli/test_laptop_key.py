"""The laptop's key: whole public keys go in once, with the permissions sshd wants; a private one never does."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from ds01.cli import laptop_key
from ds01.domain import public_key
from ds01.domain.errors import Ds01Error
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Daemon
from tests.unit.cli.test_admin import ready

__all__ = ["ready"]


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key pairs of every kind, as ssh-keygen makes them."""
    folder = tmp_path_factory.mktemp("pairs")
    for name, kind in {"ed25519": "ed25519", "rsa": "rsa -b 2048", "weak": "rsa -b 1024", "ecdsa": "ecdsa"}.items():
        words = ["ssh-keygen", "-q", "-N", "", "-C", "ada@laptop", "-f", str(folder / name), "-t", *kind.split()]
        subprocess.run(words, check=True)
    return folder


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_keys_as_ssh_keygen_makes_them_are_read(pairs: Path, kind: str) -> None:
    text = (pairs / f"{kind}.pub").read_text()
    key = public_key.read(text)
    assert (key.line, key.comment) == (text.strip(), "ada@laptop")


def test_a_key_goes_in_once_as_sshd_wants_it(ds01: Run, ready: Daemon, pairs: Path, tmp_path: Path) -> None:
    keys = tmp_path / ".ssh/authorized_keys"
    keys.parent.mkdir(mode=0o777)
    keys.parent.chmod(0o777)
    keys.write_text("# mine\nssh-rsa AAAA old")
    keys.chmod(0o666)
    for said in ("may log in as you", "was registered already"):
        ran = ds01("setup", "--key", str(pairs / "ed25519.pub"))
        assert (ran.code, said in " ".join(ran.err.split())) == (0, True)
    public = (pairs / "ed25519.pub").read_text().strip()
    assert keys.read_text() == f"# mine\nssh-rsa AAAA old\n{public}\n"
    assert (keys.parent.stat().st_mode & 0o777, keys.stat().st_mode & 0o777) == (0o700, 0o600)
    assert sorted(path.name for path in keys.parent.iterdir()) == ["authorized_keys"]


def test_a_pasted_key_goes_into_a_new_file(ds01: Run, ready: Daemon, pairs: Path, tmp_path: Path) -> None:
    public = (pairs / "ecdsa.pub").read_text()
    assert ds01("setup", "--key", public, "--dry-run").code == 0
    assert not (tmp_path / ".ssh").exists()
    assert ds01("setup", "--key", public).code == 0
    assert (tmp_path / ".ssh/authorized_keys").read_text() == public
    assert "1 key may log in as you" in " ".join(ds01("setup").err.split())


@pytest.mark.parametrize("name", ["ed25519", "rsa", "ecdsa"])
def test_a_private_key_is_refused_and_repeated_nowhere(
    ds01: Run, ready: Daemon, pairs: Path, tmp_path: Path, name: str
) -> None:
    private = (pairs / name).read_text()
    for given in (private, private.splitlines()[0], str(pairs / name)):
        ran = ds01("setup", "--key", given)
        assert ran.code == 2
        assert "That is a private key." in ran.err
        assert private.splitlines()[1][:20] not in ran.err + ran.out
    (tmp_path / "answers.toml").write_text(f"key = '''{private}'''\n")
    ran = ds01("setup", "--answers", str(tmp_path / "answers.toml"))
    assert (ran.code, "That is a private key." in ran.err) == (2, True)
    assert private.splitlines()[1][:20] not in ran.err + ran.out
    assert not (tmp_path / ".ssh").exists()


def test_what_sshd_would_skip_without_a_word_is_refused_with_one(pairs: Path) -> None:
    kind, material, *_ = (pairs / "ed25519.pub").read_text().split()
    for text, said in (
        ((pairs / "weak.pub").read_text(), "2048 bits"),
        (f"{kind} {material[:-8]}", "not whole"),
        (f"{kind} {material[:-4]}====", "not whole"),
        (f"ssh-rsa {material}", "not whole"),
        (f"{kind}", "no public key"),
        (material, "no public key"),
        (f'command="sh" {kind} {material}', "no public key"),
        (f"{kind} {material}\n{kind} {material}", "more than one line"),
        ("", "no key in it"),
        ("ssh-dss AAAA", "DSA"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "PuTTY"),
        (f"{kind} {material} a\x1bb", "cannot be shown"),
    ):
        with pytest.raises(ValueError, match=said):
            public_key.read(text)


def test_places_that_cannot_hold_a_key_stay_as_they_are(pairs: Path, tmp_path: Path) -> None:
    key = public_key.read((pairs / "ed25519.pub").read_text())
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/authorized_keys").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Ds01Error, match="symbolic link"):
        laptop_key.register(str(tmp_path), key)
    assert (tmp_path / "elsewhere").read_text() == ""
    (tmp_path / ".ssh/authorized_keys").unlink()
    tmp_path.chmod(0o777)
    with pytest.raises(Ds01Error, match="Others may write"):
        laptop_key.register(str(tmp_path), key)
    assert not (tmp_path / ".ssh/authorized_keys").exists()


@pytest.mark.parametrize(
    ("mode", "group", "debian", "open_to_others"),
    [
        (0o700, {7, 8}, True, False),
        (0o755, {7, 8}, False, False),
        (0o775, {7}, True, False),
        (0o770, {7}, True, False),
        (0o775, {7}, False, True),
        (0o775, {7, 8}, True, True),
        (0o775, {8}, True, True),
        (0o775, {7, "gone"}, True, True),
        (0o775, set(), True, True),
        (0o777, {7}, True, True),
        (0o707, {7}, True, True),
    ],
)
def test_a_home_is_closed_where_only_the_user_s_own_group_writes_and_sshd_knows_such_groups(
    mode: int, group: set[int | str], debian: bool, open_to_others: bool
) -> None:
    assert laptop_key.others_write(mode, group, me=7, debian=debian) is open_to_others


def test_the_group_of_a_home_is_who_the_system_says(pairs: Path, tmp_path: Path) -> None:
    """Group 1 is of another account on every system with one; a group nobody has is nobody's."""
    key = public_key.read((pairs / "ed25519.pub").read_text())
    tmp_path.chmod(0o775)
    for gid in {pwd.getpwnam("daemon").pw_gid, 59_999}:
        os.chown(tmp_path, -1, gid)
        with pytest.raises(Ds01Error, match="Others may write") as raised:
            laptop_key.register(str(tmp_path), key)
        assert raised.value.problem.hint.startswith(f"chmod go-w {tmp_path}")


def test_ssh_keygen_reads_what_was_written(pairs: Path, tmp_path: Path) -> None:
    for kind in ("ed25519", "rsa"):
        laptop_key.register(str(tmp_path), public_key.read((pairs / f"{kind}.pub").read_text()))
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(tmp_path / ".ssh/authorized_keys")], capture_output=True, text=True, check=True
    ).stdout
    assert len(listed.splitlines()) == 2
