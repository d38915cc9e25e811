"""Writing files into a user's folder: done by tar running as that user, never by root following her paths."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ds01.domain.binds import checked_path, refused
from ds01.domain.people import User

_SCRIPT = (
    'umask 077; mkdir -p -- "$1" && exec tar -x --ignore-zeros --no-same-owner --delay-directory-restore -C "$1" -f -'
)


async def unpack(user: User, folder: str, archive: AsyncGenerator[bytes, None]) -> None:
    """Unpack tar archives, one after another, below ``folder``, made if needed, with the user's rights alone."""
    path = checked_path(folder)
    process = await asyncio.create_subprocess_exec(
        *_as(user), "sh", "-c", _SCRIPT, "sh", path,
        stdin=PIPE, stdout=DEVNULL, stderr=PIPE, cwd="/", env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    try:
        await _feed(process, archive)
        _, complaint = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["tar failed"]
        raise refused(path, f"Nothing could be written there: {last[0]}.", "Make room, or choose another folder.")


def _as(user: User) -> tuple[str, ...]:
    """Only her groups, no capability, and no way back."""
    groups = ",".join(str(gid) for gid in sorted(user.gids | {user.gid}))
    return (
        "setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", f"--groups={groups}", "--no-new-privs",
        "--inh-caps=-all",
    )  # fmt: skip


async def _feed(process: Process, archive: AsyncGenerator[bytes, None]) -> None:
    """Pass the archive on. When tar ends early its complaint says why, not the broken pipe."""
    if process.stdin is None:
        return
    try:
        async with aclosing(archive) as pieces:
            async for piece in pieces:
                if process.stdin.is_closing():  # uvloop's pipe takes no more once its reader is gone
                    return
                process.stdin.write(piece)
                await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        process.stdin.close()  # tar reads on after the archive's end: up to the next full record, or this
