"""Files a command writes for other programs: whole or not at all, so that no reader ever meets half of one."""

from __future__ import annotations

import os
from contextlib import contextmanager

from ds01.cli.call import Call
from ds01.domain.errors import BAD_REQUEST, COPY_FAILED, Ds01Error

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TextIO

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


@contextmanager
def create(path: str, *, mode: int = READABLE) -> Iterator[TextIO]:
    """A new file to write into, which has its name when the block ends well and is gone when it does not.

    Nothing is written over, what came there meanwhile neither. Raises Ds01Error.
    """
    import tempfile

    if os.path.lexists(path):
        raise _there(path)
    try:
        fd, staged = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(path)), prefix=".ds01-")
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                yield file
                file.flush()
                os.fchmod(fd, mode)
                os.fsync(fd)
            os.link(staged, path)
        finally:
            os.unlink(staged)
    except FileExistsError as error:
        raise _there(path) from error
    except OSError as error:
        raise Ds01Error(COPY_FAILED, f"{path} cannot be written.", reason=f"{error.strerror}.") from error


def _there(path: str) -> Ds01Error:
    return Ds01Error(
        BAD_REQUEST, f"There is a file {path} already.", reason="Nothing was written over.", hint="Choose another name."
    )


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
