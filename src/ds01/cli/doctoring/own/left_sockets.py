"""Are there sockets of programs that are no more? A container that was killed leaves them."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from functools import partial

from ds01.cli.doctoring.own import CHANGED, Check, Mend
from ds01.cli.doctoring.rights import listed
from ds01.cli.editors.running import FOLDER, connected
from ds01.projects import file


def _look(home: str) -> Iterator[Mend]:
    for project in file.names(home):
        folder = os.path.join(file.workspaces(home), project, FOLDER)
        for path in (os.path.join(folder, name) for name in listed(folder) if name.endswith(".sock")):
            if _dead(path):
                wrong = f"{path} leads to a program that has ended."
                yield Mend(wrong=wrong, todo=f"rm {path}", do=partial(_remove, path))


def _remove(path: str) -> None:
    """Remove a socket that still leads nowhere. Raises OSError."""
    if not _dead(path):
        raise OSError(errno.ESTALE, CHANGED)
    os.unlink(path)


def _dead(path: str) -> bool:
    try:
        status = os.lstat(path)
        if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.geteuid():
            return False
        connected(path).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


CHECK = Check(well="No socket in your projects leads to a program that has ended.", look=_look)
