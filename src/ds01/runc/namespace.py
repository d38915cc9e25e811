"""The user namespace of a container with root, which the guard makes and runc joins.

The kernel counts what there is a limited number of, such as watches of files, queues and pending signals, also in the
name of whoever made the namespace. runc makes it as root: then a container that takes all there are leaves none to the
server's root, nor to anybody else's container. So it is made in the name of a number that stands for the person and is
nobody's: her containers with root share what the kernel gives one user, and take it from nobody.
"""

from __future__ import annotations

import os

from ds01.runc.kernel import make_user_namespace

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any, NoReturn

    Config = dict[str, Any]

NOBODYS = 1 << 31
"""Nobody has a uid from here on, which half of all programs would take for a negative one. Who had such a number could
do what root can in the namespaces that belong to it.
"""
_OWN = {"type": "user"}


def with_namespace(config: Config, uid: int) -> Config:
    """The configuration with this person's user namespace, where it asks for a new one. It is an open file of this
    process, and of runc, which this process becomes.
    """
    linux = config["linux"]
    if _OWN not in linux["namespaces"]:
        return config
    made = _made(in_the_name_of(uid), [(f"{kind}_map", _lines(linux[f"{kind}Mappings"])) for kind in ("uid", "gid")])
    os.set_inheritable(made, True)
    joined = {**_OWN, "path": f"/proc/{os.getpid()}/fd/{made}"}
    namespaces = [joined if each == _OWN else each for each in linux["namespaces"]]
    return {**config, "linux": {**linux, "namespaces": namespaces}}


def in_the_name_of(uid: int) -> int:
    """The number that stands for a person; one for all whose uid leaves no room for one."""
    return NOBODYS + (uid if uid < NOBODYS - 1 else 0)


def _lines(mappings: list[Config]) -> str:
    return "".join(f"{each['containerID']} {each['hostID']} {each['size']}\n" for each in mappings)


def _made(owner: int, maps: list[tuple[str, str]]) -> int:
    """A new user namespace, open. A child makes it and waits in it until it is open here."""
    made, tells = os.pipe()
    waits, over = os.pipe()
    child = os.fork()
    if not child:
        os.close(over)
        _make(owner, tells, waits)
    os.close(tells)
    os.close(waits)
    try:
        if failed := os.read(made, 99).decode()[1:]:
            raise OSError(f"no user namespace: {failed}")
        for name, lines in maps:
            with open(f"/proc/{child}/{name}", "w") as file:
                file.write(lines)
        return os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
    finally:
        os.close(made)
        os.close(over)
        os.waitpid(child, 0)


def _make(owner: int, tells: int, waits: int) -> NoReturn:
    try:
        make_user_namespace(owner)
        os.write(tells, b".")
        os.read(waits, 1)
    except OSError as error:
        os.write(tells, f".{error.strerror}".encode())
    finally:
        os._exit(0)
