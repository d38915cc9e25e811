"""The first process of a container that runs, known for sure and not by its number alone.

Engines and runc name a container by the number of its first process, and a number changes hands: who ends the process
at the right moment lets one of another container have it, and what was checked is not what runc joins. So its folder
in ``/proc`` is kept open, which is this process's and nobody's after it. What a start joins is opened through it, and
runc gets what is open. An exec runc gives nothing to open: it joins by the number, and the number is held for it.

A number is nobody else's until the parent of a process that ended has taken notice, and that has to wait for whoever
traces it. So this process traces it, and becomes runc: the kernel lets go when runc is over, however that comes about.
All its threads stand still until then, because one that runs could begin another program and would shed the tracer.
"""

from __future__ import annotations

import os
import time

from ds01.runc.grants import container_at
from ds01.runc.kernel import interrupt, seize
from ds01.runc.refusal import RefusedError

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Config = dict[str, Any]

ENDED = "a container that has ended"
TURN_SECONDS, STILL_SECONDS = 60.0, 5.0
"""How long an exec waits until others that join the same container have, and until its first process stands still."""
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.0005, 0.25
"""Between two looks: many that wait for their turn keep no processor busy, which would be the server's."""
_START = 21
"""Which word of ``stat`` says when a process began, the name with its brackets being the second."""
_DEAD = frozenset("ZX")


class First:
    """The process that has this number now. Raises RefusedError when there is none."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._folder = os.open(f"/proc/{pid}", os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            raise RefusedError(ENDED) from None

    def close(self) -> None:
        """What was opened through it stays open."""
        os.close(self._folder)

    def container(self) -> tuple[int, str] | None:
        """Whose container it is in by its cgroup, and which; None when it is in no user's."""
        lines = self._read("cgroup").splitlines()
        found = (container_at(line.split(":", 2)[2]) for line in lines)
        return next((each for each in found if each is not None), None)

    def is_first_of(self, state: dict[str, Any]) -> bool:
        """Whether it is the one that runc started the container with, by runc's own record."""
        began = self._read("stat").rpartition(")")[2].split()[_START - 2]
        return (state["init_process_pid"], state["init_process_start"]) == (self.pid, int(began))

    def namespace(self, name: str) -> int:
        """One of its namespaces, open."""
        try:
            return os.open(f"ns/{name}", os.O_RDONLY, dir_fd=self._folder)
        except (FileNotFoundError, ProcessLookupError):
            raise RefusedError(ENDED) from None

    def threads(self) -> dict[int, tuple[str, int]]:
        """Its threads, the first of them first: the letter of its state, and who traces it."""
        found = {}
        folder = self._open("task")
        try:
            names = os.listdir(folder)
        finally:
            os.close(folder)
        for thread in sorted(map(int, names), key=lambda each: each != self.pid):
            words = self.thread(thread)
            if words is not None:
                found[thread] = words
        return found

    def thread(self, number: int) -> tuple[str, int] | None:
        """One of its threads, in the same way; None when it is not there any more."""
        lines = self._read(f"task/{number}/status", gone="").splitlines()
        words = dict(line.split(":\t", 1) for line in lines if line.startswith(("State:", "TracerPid:")))
        return (words["State"][0], int(words["TracerPid"])) if words else None

    def _read(self, name: str, gone: str | None = None) -> str:
        try:
            with open(self._open(name)) as file:
                return file.read()
        except (FileNotFoundError, ProcessLookupError):
            if gone is None:
                raise RefusedError(ENDED) from None
            return gone

    def _open(self, name: str) -> int:
        return os.open(name, os.O_RDONLY, dir_fd=self._folder)


def hold(first: First, is_it: Callable[[], bool]) -> None:
    """Keep its number from everybody else, until this process and the runc it becomes are over.

    ``is_it`` says whether it is the right one, and is asked when nobody can take the number any more. Raises
    RefusedError when it is not, when it ends, or when others trace it and do not let go.
    """
    _until(lambda: _held(first), TURN_SECONDS, "a container whose first process somebody else traces")
    if not is_it():
        raise RefusedError(ENDED)
    _until(lambda: _stands_still(first), STILL_SECONDS, "a container whose first process cannot be held for a moment")


def _until(done: Callable[[], bool], seconds: float, otherwise: str) -> None:
    over, pause = time.monotonic() + seconds, _PAUSE_SECONDS
    while not done():
        if time.monotonic() > over:
            raise RefusedError(otherwise)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _held(first: First) -> bool:
    """Whether this process traces it. Its first thread comes first, so that of two who try one gets all."""
    state, tracer = first.thread(first.pid) or ("X", 0)
    if state in _DEAD:
        raise RefusedError(ENDED)
    if not tracer:
        seize(first.pid)
    return tracer == os.getpid()


def _stands_still(first: First) -> bool:
    """Whether all its threads do; then none can make another. Stops those that do not."""
    threads, own = first.threads(), os.getpid()
    for thread, (state, tracer) in threads.items():
        if not tracer and state not in _DEAD:
            seize(thread)
        elif tracer == own and state != "t":
            interrupt(thread)
    return bool(threads) and all(state in _DEAD or (state, tracer) == ("t", own) for state, tracer in threads.values())


def with_opened(config: Config, joined: dict[int, First]) -> Config:
    """The configuration with every namespace that is joined opened: a file of this process, and of runc, which it
    becomes. Raises RefusedError when the container ended meanwhile.
    """
    linux = config["linux"]
    namespaces = [_opened(each, joined) for each in linux["namespaces"]]
    return {**config, "linux": {**linux, "namespaces": namespaces}}


def _opened(namespace: Config, joined: dict[int, First]) -> Config:
    words = namespace.get("path", "").split("/")
    if words[3:4] != ["ns"]:
        return namespace
    found = joined[int(words[2])].namespace(words[4])
    os.set_inheritable(found, True)
    return {**namespace, "path": f"/proc/{os.getpid()}/fd/{found}"}
