"""Which paths of the host may be mounted into a container: the rules that need no file system.

A path is judged twice: as text, before anybody opens it, and as the real path of what was opened. The text rules
keep out what is never meant well; the rest is decided about the opened thing itself, because a path can be
pointed elsewhere between two looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ds01.domain.errors import BAD_BIND, Ds01Error

DATA = "/data"
"""Where data folders are in a container."""

MOST = 64
"""Mounts of one container, of whatever kind. Compose files and devcontainers have a dozen; each costs the server one,
of which the kernel allows so many in all (``fs.mount-max``)."""

KERNEL_FOLDERS = ("/dev", "/proc", "/run", "/sys", "/var/run")
"""Trees nothing is ever mounted from: devices, sockets and windows into the kernel."""

SYSTEM_FOLDERS = (
    *KERNEL_FOLDERS, "/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/sbin", "/usr", "/var/cache",
    "/var/lib", "/var/log", "/var/spool",
)  # fmt: skip
"""Trees of the machine itself: only shared data may be in them, because an admin chose it."""


def refused(path: str, reason: str, hint: str = "") -> Ds01Error:
    """The one sentence for every path that cannot be mounted."""
    return Ds01Error(BAD_BIND, f"{shown(path)} cannot be mounted.", reason=reason, hint=hint)


def check_number(folders: int, volumes: int) -> None:
    """Raises Ds01Error when these folders and what its image wants are more than a container may have mounts."""
    if folders + volumes <= MOST:
        return
    wanted = f" Its image wants {volumes} volumes." if volumes else ""
    raise Ds01Error(
        BAD_BIND, f"{folders} folders cannot be mounted.", reason=f"A container has {MOST} mounts at most.{wanted}",
        hint="Use an image that wants fewer" if volumes else "Mount the folder that the others are in",
    )  # fmt: skip


def shown(path: str) -> str:
    """A path as text that is safe to print: control characters are escaped, a very long one is shortened."""
    printable = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in path)
    return f"'{printable if len(printable) <= 200 else printable[:197] + '...'}'"


def checked_path(path: str) -> str:
    """``path`` in its plain form (``//`` and ``.`` folded), or an error that says what is wrong with it as text."""
    if any(ord(char) < 32 or ord(char) == 127 for char in path):
        raise refused(path, "The path has a control character in it (a line break, a tab or a zero byte).")
    if any(0xD800 <= ord(char) <= 0xDFFF for char in path):
        raise refused(path, "The path is not valid text.")
    if not path.startswith("/"):
        raise refused(path, "The path is not absolute.", "Write the whole path, starting with '/'.")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise refused(path, "The path has '..' in it.", "Write the path without '..'.")
    if len(path.encode()) > 4000 or any(len(part.encode()) > 255 for part in parts):
        raise refused(path[:200], "The path is too long for this system.")
    return "/" + "/".join(parts)


def below(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or something in it; both are real, absolute paths."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def share_of(path: str, shares: Iterable[str]) -> str | None:
    """The folder of shared data this real path is in. The whole file system is nobody's shared data."""
    real = (share for share in shares if share.startswith("/") and share.strip("/"))
    return next((share for share in real if below(path, share)), None)


def check_place(path: str, real: str, *, shared: bool = False) -> None:
    """Refuse a real path in the machine's own trees; ``shared`` says it is in a folder of shared data."""
    if real == "/":
        raise refused(path, "It is the whole file system of the server.")
    closed = KERNEL_FOLDERS if shared else SYSTEM_FOLDERS
    place = next((folder for folder in closed if below(real, folder)), None)
    if place is not None:
        raise refused(path, f"It is in {place}, which belongs to the system.", "Mount a folder of your own.")


def data_targets(folders: Sequence[str]) -> tuple[str, ...]:
    """Where data folders are mounted: a single one at ``/data``, several each below it by its own name."""
    if len(folders) == 1:
        return (DATA,)
    taken: dict[str, int] = {}
    targets = []
    for folder in folders:
        name = folder.rstrip("/").rpartition("/")[2] or "data"
        taken[name] = taken.get(name, 0) + 1
        targets.append(f"{DATA}/{name}" if taken[name] == 1 else f"{DATA}/{name}-{taken[name]}")
    return tuple(targets)
