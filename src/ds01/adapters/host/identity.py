"""Doing one thing with a user's own rights.

A thread of its own takes the user's groups and file-system uid and gid, gives up every capability for good, and ends
after its one errand: nothing has to be switched back, so nothing can be forgotten, and no other thread ever has rights
that are not root's. The real and effective uid stay root's, so that the user cannot signal the thread.

File systems of the network can hang. The errand then goes on alone: its result is closed when it comes, nobody waits.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

from ds01.adapters.host import kernel
from ds01.domain.people import User

PATIENCE_SECONDS = 20.0


class NotSwitchedError(OSError):
    """The thread could not take the user's rights; nothing was opened."""


class _Errand(threading.Thread):
    """One call that opens something. ``result`` is its descriptor or what it raised."""

    def __init__(self, user: User, work: Callable[[], int]) -> None:
        super().__init__(name=f"as uid {user.uid}", daemon=True)
        self._user = user
        self._work = work
        self._hand = threading.Lock()
        self._abandoned = False
        self._result: int | OSError | None = None

    def run(self) -> None:
        result: int | OSError = OSError(errno.EIO, "the errand ended without a result")
        try:
            result = self._attempt()
        finally:
            self._hand_over(result)

    def wait(self, seconds: float) -> int:
        """The descriptor. Raises what the errand raised, or ETIMEDOUT."""
        self.join(seconds)
        with self._hand:
            result = self._result
            if result is None:
                self._abandoned = True
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        if isinstance(result, OSError):
            raise result
        return result

    def _hand_over(self, result: int | OSError) -> None:
        with self._hand:
            if not self._abandoned:
                self._result = result
            elif isinstance(result, int):
                os.close(result)

    def _attempt(self) -> int | OSError:
        try:
            _become(self._user)
            return self._work()
        except OSError as error:
            return error


def opened_as(user: User, work: Callable[[], int], *, seconds: float = PATIENCE_SECONDS) -> int:
    """Run ``work``, which opens a descriptor, with the rights of ``user``. Raises its OSError, or TimeoutError."""
    errand = _Errand(user, work)
    errand.start()
    return errand.wait(seconds)


def _become(user: User) -> None:
    """Turn this thread into the user's, or raise. The end is verified: a switch that did not happen is a refusal."""
    if not 0 < user.uid < 0xFFFFFFFF or not 0 <= user.gid < 0xFFFFFFFF:
        raise NotSwitchedError(errno.EPERM, f"uid {user.uid} is no ordinary user")
    wanted = user.gids | {user.gid}
    try:
        kernel.set_groups(wanted)
        kernel.set_fsgid(user.gid)
        kernel.set_fsuid(user.uid)
        kernel.drop_capabilities()
        now = (set(os.getgroups()), kernel.fsgid(), kernel.fsuid(), kernel.capabilities())
    except OSError as error:
        raise NotSwitchedError(error.errno, error.strerror) from error
    if now != (set(wanted), user.gid, int(user.uid), 0):
        raise NotSwitchedError(errno.EPERM, f"the kernel did not let a thread act as uid {user.uid}")
