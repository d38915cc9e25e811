"""Where a project may come from: a git repository, a folder, a template of the server.

git runs as the user, with her keys and her settings. What is cloned lands beside its place first and is moved there
when it is whole, so that a broken line or Ctrl-C leaves nothing half done. What of a folder comes along, and how, is in
``copying``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile

from ds01.domain.errors import BAD_REQUEST, BAD_WORKSPACE, CLONE_FAILED, Ds01Error
from ds01.domain.names import corrected, nearest
from ds01.domain.record import record
from ds01.projects import file

TEMPLATES = "/etc/ds01/templates"
"""Where an admin puts folders for ``--from template:NAME``."""
_ADDRESS = re.compile(r"(?:https?|ssh|git|file)://\S+|[\w.-]+@[\w.-]+:\S+")


@record
class Cloned:
    """A repository in a place of its own, below the folder of all projects."""

    folder: str
    name: str


def is_address(text: str) -> bool:
    """Whether this is the address of a git repository."""
    return _ADDRESS.fullmatch(text) is not None


def name_of(address: str) -> str:
    """What a project from this address is called, unless somebody says otherwise."""
    last = re.split(r"[/:]", address.rstrip("/"))[-1].removesuffix(".git")
    return corrected(last)


def clone(address: str, home: str, *, watched: bool, shallow: bool = False) -> Cloned:
    """Clone as the user. Raises Ds01Error (``git.clone``) with what git said; nothing is left of it then."""
    if not is_address(address) and not os.path.isdir(address):
        raise Ds01Error(
            BAD_REQUEST,
            "That is no address of a git repository.",
            hint="ds01 project clone https://example.org/paper.git",
        )
    work = file.workspaces(home)
    os.makedirs(work, mode=0o700, exist_ok=True)
    folder = tempfile.mkdtemp(prefix=".ds01-clone-", dir=work)
    words = ["git", "clone", *(["--depth", "1"] if shallow else []), "--", address, folder]
    try:
        done = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=None if watched else subprocess.PIPE, text=True, check=False,
            env=os.environ | ({} if watched else {"GIT_TERMINAL_PROMPT": "0"}),
        )  # fmt: skip
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, FileNotFoundError):
            raise Ds01Error(CLONE_FAILED, "git is not installed on this server.", hint="Ask your admin.") from error
        raise
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        said = [line for line in (done.stderr or "").strip().splitlines() if line]
        raise Ds01Error(
            CLONE_FAILED, "git could not clone it.", reason=" ".join(said[-2:]),
            hint=f"Nothing was kept. Try it alone: git ls-remote {address}",
        )  # fmt: skip
    return Cloned(folder=folder, name=name_of(address))


def settle(cloned: Cloned, name: str, home: str) -> str:
    """Move it to its place. Raises Ds01Error when something is there; the clone goes then."""
    folder = os.path.join(file.workspaces(home), name)
    if os.path.lexists(folder):
        shutil.rmtree(cloned.folder, ignore_errors=True)
        raise Ds01Error(
            BAD_WORKSPACE, f"{folder} is there already.", reason="Nothing in it was touched, and nothing was kept.",
            hint="Give another name behind the address.",
        )  # fmt: skip
    os.rename(cloned.folder, folder)
    os.chmod(folder, 0o700)
    return folder


def template(name: str, place: str = TEMPLATES) -> str:
    """The folder of a template of this server. Raises Ds01Error with those there are."""
    try:
        known = sorted(each.name for each in os.scandir(place) if each.is_dir() and not each.name.startswith("."))
    except OSError:
        known = []
    if name in known:
        return os.path.join(place, name)
    near = nearest(name, known)
    listed = f"There are {', '.join(known)}." if known else f"This server has none; an admin puts them into {place}."
    raise Ds01Error(
        BAD_REQUEST, f"There is no template '{name}'.", reason=f"Did you mean '{near}'?" if near else listed
    )
