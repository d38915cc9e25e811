"""Files a command writes for other programs: whole or not at all, so that no reader ever meets half of one."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ds01.cli.call import Call
from ds01.domain.errors import COPY_FAILED, Ds01Error

READABLE = 0o644


def put(path: str, text: str, *, mode: int = READABLE, group: int | None = None) -> None:
    """Put ``text`` in the place of the file, in one step. Raises Ds01Error."""
    import tempfile

    try:
        fd, staged = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), prefix=".ds01-")
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(text)
                if group is not None:
                    os.fchown(file.fileno(), -1, group)
                os.fchmod(file.fileno(), mode)
            os.replace(staged, path)
        except OSError:
            os.unlink(staged)
            raise
    except OSError as error:
        raise Ds01Error(COPY_FAILED, f"{path} cannot be written.", reason=f"{error.strerror}.") from error


def deliver(call: Call, files: Mapping[str, str], folder: str | None) -> bool:
    """Print the files, or write them into a folder, or say what would be written; whether they were written."""
    talk = call.talk
    if folder is None:
        for text in files.values():
            talk.data(text.rstrip())
        return False
    for name, text in files.items():
        path = os.path.join(folder, name)
        if talk.dry_run:
            talk.say(f"Would write {path}.")
            continue
        put(path, text)
        talk.done(f"{path} is written.")
    return not talk.dry_run
