"""Writing files into a user's folder: done by tar running as that user, never by root following her paths."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import aclosing

from ds01.domain.binds import checked_path, shown
from ds01.domain.errors import BAD_WORKSPACE, Ds01Error
from ds01.domain.people import User

STILL_SECONDS = 60.0
"""How long nothing may be taken before it counts as never: a program of its user's may be stopped by her, and a file
system may hang, and both would keep the container's GPU.
"""
_GONE_SECONDS = 5.0

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
        async with asyncio.timeout(STILL_SECONDS):
            _, complaint = await process.communicate()
            await _shut(process)
    except TimeoutError as error:
        await _end(process)
        raise _failed(
            path, f"What writes there stood still for {STILL_SECONDS:.0f} s.",
            "See whether its disk answers (ls), then try again, or retire without --rescue",
        ) from error  # fmt: skip
    except BaseException:
        await _end(process)
        raise
    if process.returncode:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["tar failed"]
        raise _failed(path, f"{last[0]}.", "Make room, or choose another folder")


async def _end(process: Process) -> None:
    """Kill it. Where even that does not end it, because the kernel waits for a disk, it is not waited for."""
    process.kill()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GONE_SECONDS):
            await process.wait()
            await _shut(process)


async def _shut(process: Process) -> None:
    """See how its pipe ended, which says nothing new: older Pythons (3.11.2) complain when nobody looks."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            await process.stdin.wait_closed()


def _failed(path: str, why: str, hint: str) -> Ds01Error:
    return Ds01Error(BAD_WORKSPACE, f"Nothing could be written to {shown(path)}.", reason=why, hint=hint)


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
                async with asyncio.timeout(STILL_SECONDS):
                    await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        process.stdin.close()  # tar reads on after the archive's end: up to the next full record, or this
