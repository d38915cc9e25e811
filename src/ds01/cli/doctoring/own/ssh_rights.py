"""May somebody else put a key where sshd looks for yours? Then it lets nobody in by one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from ds01.cli.doctoring.own import Check, Mend
from ds01.cli.doctoring.rights import narrower, own

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def _look(home: str) -> Iterator[Mend]:
    for path in (home, os.path.join(home, ".ssh"), os.path.join(home, ".ssh/authorized_keys")):
        found = own(path)
        if found and found.st_mode & _OTHERS_WRITE:
            better = stat.S_IMODE(found.st_mode) & ~_OTHERS_WRITE
            yield narrower(path, found, better, f"Others may write {path}, so ssh refuses your key.")


CHECK = Check(well="Nobody but you may write where ssh looks for your keys.", look=_look)
