"""What a database error means, in DS01's words. Foreign errors stop here."""

from __future__ import annotations

import errno
import os
import sqlite3
from typing import TypeGuard

from sqlalchemy.exc import DBAPIError, IntegrityError

from ds01.domain.errors import DISK_FULL, LEDGER_ERROR, Ds01Error

_KEEP = "Nothing was recorded; what was acknowledged before still stands."
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DISK = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}


def explain(error: Exception, where: str) -> Ds01Error:
    """The error to raise for what the database said about the ledger at ``where``."""
    foreign = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(foreign, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code in _DISK and _no_space(where)):
        return disk_full(where, str(foreign))
    if code in _DAMAGED:
        return damaged(where, str(foreign))
    if code in _LOCKED:
        return Ds01Error(
            LEDGER_ERROR,
            f"The ledger {where} is locked by another program.",
            reason=f"{foreign}. {_KEEP}",
            hint=f"See who has it open: fuser -v {where}",
        )
    return Ds01Error(
        LEDGER_ERROR, f"The ledger {where} cannot be used: {foreign}", reason=_KEEP, hint="Run: ds01 doctor"
    )


def breaks_transaction(error: Exception | None) -> TypeGuard[Exception]:
    """Whether the database may have given up the whole transaction, other people's writes in it included.

    A broken constraint undoes its own statement only; a full disk, a lost file or a lock undo everything.
    """
    if isinstance(error, DBAPIError):
        return not isinstance(error, IntegrityError)
    return isinstance(error, sqlite3.Error)


def disk_full(where: str, said: str) -> Ds01Error:
    """No room for another record."""
    return Ds01Error(
        DISK_FULL,
        f"The disk of the ledger is full, so nothing new can be recorded ({where}).",
        reason=f"{said}. {_KEEP}",
        hint=f"Make room on that disk: df -h {os.path.dirname(where) or '.'}",
    )


def damaged(where: str, said: str) -> Ds01Error:
    """The file is no ledger, or no longer one."""
    folder = os.path.dirname(where) or "."
    return Ds01Error(
        LEDGER_ERROR,
        f"The ledger {where} is damaged.",
        reason=said,
        hint=f"Move it away and start ds01d: mkdir {folder}/damaged && mv {where}* {folder}/damaged/ "
        "(what runs is rebuilt from the containers' labels)",
    )


def _no_space(where: str) -> bool:
    try:
        disk = os.statvfs(os.path.dirname(where) or ".")
    except OSError as error:
        return error.errno == errno.ENOSPC
    return disk.f_bavail * disk.f_frsize < 64 * 1024
