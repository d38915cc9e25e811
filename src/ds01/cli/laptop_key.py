"""Registers the public key of somebody's laptop in her own ``~/.ssh/authorized_keys``, the way sshd accepts it.

Only public keys go in and none is made: the private half belongs on the laptop, and this server has no business with
it. sshd ignores the file without a word when others may write to it, so the permissions are put right and said. Debian
and Ubuntu give everybody a group of her own and a umask of 002; their sshd, unlike OpenSSH's own, takes a home that
this group may write in, and so does this.
"""

from __future__ import annotations

import grp
import os
import platform
import pwd
import stat
from collections.abc import Collection

from ds01.cli.files import put
from ds01.domain.errors import BAD_REQUEST, BAD_WORKSPACE, Ds01Error
from ds01.domain.public_key import PrivateKeyError, PublicKey, read
from ds01.projects import plainfile

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
HOW = "On your laptop: cat ~/.ssh/id_ed25519.pub (make one with: ssh-keygen -t ed25519)"


def given(text: str) -> PublicKey:
    """The key that was typed, pasted, or is in the file that was named. Raises Ds01Error; it never repeats the text."""
    try:
        return read(_of_file(text) if _is_path(text) else text)
    except PrivateKeyError as error:
        hint = (
            "Give the other half, in the file that ends in .pub. If the private one was sent anywhere, make a new pair."
        )
        raise Ds01Error(BAD_REQUEST, f"{error}.", hint=hint, private="yes") from None
    except ValueError as error:
        raise Ds01Error(BAD_REQUEST, f"That key cannot be used. {error}.", hint=HOW) from None


def registered(home: str) -> int:
    """How many keys may log in already."""
    path = os.path.join(home, ".ssh", "authorized_keys")
    if not os.path.exists(path):
        return 0
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in _read(path).splitlines())


def register(home: str, key: PublicKey) -> bool:
    """Let this key log in; returns False when it could already. Raises Ds01Error and has changed nothing then."""
    folder, path = os.path.join(home, ".ssh"), os.path.join(home, ".ssh", "authorized_keys")
    _own_folder(folder)
    _nobody_else_writes(home)
    before = _read(path) if os.path.lexists(path) else ""
    known = any(key.material in line.split() for line in before.splitlines() if not line.lstrip().startswith("#"))
    if known:
        os.chmod(path, PRIVATE_FILE)
        return False
    gap = "" if not before or before.endswith("\n") else "\n"
    put(path, f"{before}{gap}{key.line}\n", mode=PRIVATE_FILE)
    return True


def _is_path(text: str) -> bool:
    return text.startswith(("/", "~", "./")) or (" " not in text.strip() and text.strip().endswith(".pub"))


def _of_file(text: str) -> str:
    path = os.path.expanduser(text.strip())
    if not os.path.isfile(path):
        raise Ds01Error(BAD_REQUEST, f"There is no file {path}.", reason="Files of your laptop are not here.", hint=HOW)
    return plainfile.read(path)


def _own_folder(folder: str) -> None:
    try:
        os.makedirs(folder, mode=PRIVATE_FOLDER, exist_ok=True)
        status = os.lstat(folder)
    except OSError as error:
        raise _unusable(folder, (error.strerror or str(error)).lower()) from error
    if not stat.S_ISDIR(status.st_mode):
        raise _unusable(folder, "it is no folder of its own")
    if status.st_uid != os.geteuid():
        raise _unusable(folder, "it belongs to somebody else")
    os.chmod(folder, PRIVATE_FOLDER)


def _nobody_else_writes(home: str) -> None:
    status = os.stat(home)
    if not others_write(status.st_mode, _writers(status.st_gid), me=os.geteuid(), debian=_is_debian()):
        return
    raise Ds01Error(
        BAD_WORKSPACE, f"Others may write in {home}, so sshd would take no key of yours.",
        reason="Nothing was changed.", hint=f"chmod go-w {home}, then repeat the command",
    )  # fmt: skip


def others_write(mode: int, group: Collection[int | str], *, me: int, debian: bool) -> bool:
    """Whether sshd counts a home of this mode as open to others. ``group`` is who is in its group, by uid; a name is a
    member without an account. Debian's sshd lets a group write that is the user's alone, and no group of nobody's.
    """
    if mode & stat.S_IWOTH:
        return True
    return bool(mode & stat.S_IWGRP) and not (debian and set(group) == {me})


def _writers(gid: int) -> set[int | str]:
    """Who is in a group: those whose first group it is, and those it lists."""
    accounts = pwd.getpwall()
    uids = {account.pw_name: account.pw_uid for account in accounts}
    try:
        listed = grp.getgrgid(gid).gr_mem
    except KeyError:
        return set()
    return {account.pw_uid for account in accounts if account.pw_gid == gid} | {uids.get(name, name) for name in listed}


def _is_debian() -> bool:
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        return False
    return "debian" in (system["ID"], *system.get("ID_LIKE", "").split())


def _read(path: str) -> str:
    if os.path.islink(path):
        raise _unusable(path, "it is a symbolic link")
    try:
        return plainfile.read(path)
    except Ds01Error as error:
        raise _unusable(path, "it is no plain text file of yours") from error


def _unusable(path: str, reason: str) -> Ds01Error:
    return Ds01Error(
        BAD_WORKSPACE, f"{path} cannot hold your key: {reason}.", reason="Nothing was changed.", hint=f"ls -ld {path}"
    )
