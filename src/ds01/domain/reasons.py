"""Why a container stopped, in words: one sentence part per reason, and what an exit code means.

A reason is stored as a word and a detail; people read this. What the detail holds is decided here too, so that
whoever writes it and whoever shows it agree: ``user`` that it was replaced, ``exit`` the code, ``admin`` the login,
``oom`` ``<peak>/<limit>`` in bytes (no peak where nobody read it in time), ``idle`` and ``runtime`` the duration as
written, ``quarantine`` the cause.
"""

from __future__ import annotations

from ds01.domain.container import StopReason
from ds01.domain.quantity import show_size

_SIGNALS = {
    1: ("SIGHUP", "lost its terminal"),
    2: ("SIGINT", "was interrupted, as by Ctrl-C"),
    3: ("SIGQUIT", "was ended from the keyboard"),
    4: ("SIGILL", "crashed: an instruction this processor does not have"),
    6: ("SIGABRT", "aborted itself, often a failed assertion or a CUDA error"),
    7: ("SIGBUS", "crashed: bad memory access, often too little shared memory"),
    8: ("SIGFPE", "crashed: an arithmetic error"),
    9: ("SIGKILL", "was killed from outside, without a chance to save"),
    11: ("SIGSEGV", "crashed: it touched memory that is not its own"),
    13: ("SIGPIPE", "wrote to a pipe that nobody reads"),
    15: ("SIGTERM", "was asked to end, and ended"),
}

_CODES = {
    0: "ended normally",
    1: "failed with an error of its own",
    2: "was called wrongly or failed with an error of its own",
    125: "could not be started by the engine",
    126: "could not be started: the command is no program or may not be run",
    127: "could not be started: the command was not found",
}


REPLACED = "replaced"
"""The detail of a ``user`` stop for the sake of a new container of the same name."""

_WORDS = {
    StopReason.USER: ("stopped by {owner}", ""),
    StopReason.RETIRED: ("retired by {owner}", "retired by admin {}"),
    StopReason.IDLE: ("idle", "idle for {}"),
    StopReason.RUNTIME: ("reached its runtime limit", "reached its runtime limit of {}"),
    StopReason.GPU_HOLD: ("its GPU hold ended", ""),
    StopReason.ADMIN: ("stopped by an admin", "stopped by admin {}"),
    StopReason.ENGINE: ("the Docker engine stopped", ""),
    StopReason.HOST_RESTART: ("the server restarted", ""),
    StopReason.PREEMPTED: ("gave way to somebody else, who was to have its GPU", ""),
    StopReason.BOOKING: ("its booking ended", "its {} ended"),
    StopReason.QUARANTINE: ("taken out of service", "taken out of service: {}"),
}
"""Without and with a detail; ``oom`` and ``exit`` read theirs."""

_ADVICE = {
    StopReason.IDLE: "Take it back with: ds01 undo {name}",
    StopReason.RUNTIME: "Take it back with: ds01 undo {name}",
    StopReason.OOM: "Load less at once (smaller batches, fewer workers), then: ds01 start {name}",
    StopReason.QUARANTINE: "Ask an admin; nothing in your workspace was touched.",
    StopReason.RETIRED: "Its image and your workspace are still there.",
}


def exit_meaning(code: int) -> str:
    """What an exit code says, as the end of 'its program …': ``failed with an error of its own``."""
    if code in _CODES:
        return _CODES[code]
    name, meaning = _SIGNALS.get(code - 128, ("", ""))
    if meaning:
        return f"{meaning} ({name})"
    return "failed with an error of its own"


def oom_detail(peak_bytes: int | None, limit_bytes: int) -> str:
    """The detail of an ``oom`` stop."""
    return f"{'' if peak_bytes is None else peak_bytes}/{limit_bytes}"


def words(reason: StopReason, detail: str = "", *, owner: str = "you") -> str:
    """The reason as people read it in a list: ``out of memory (used 31.9G of 32G)``. No full stop."""
    if reason is StopReason.OOM:
        return f"out of memory{_memory(detail)}"
    if reason is StopReason.EXIT:
        return _exit(detail)
    if reason is StopReason.USER and detail == REPLACED:
        return f"replaced by {owner}"
    bare, detailed = _WORDS[reason]
    return detailed.format(detail) if detail and detailed else bare.format(owner=owner)


def by_somebody(reason: StopReason) -> bool:
    """Whether the words say who did it, so that they go on from 'was' (stopped by you)."""
    return reason in (StopReason.USER, StopReason.RETIRED, StopReason.ADMIN)


def advice(reason: StopReason, detail: str, name: str) -> str:
    """What its owner can do next, one sentence; ``""`` when there is nothing to say."""
    if reason is StopReason.EXIT:
        return "" if detail == "0" else f"Its last output: ds01 logs {name}"
    if reason is StopReason.ADMIN:
        return f"Ask {detail or 'the admin'} why before you start it again."
    return _ADVICE.get(reason, "Go on with: ds01 start {name}").format(name=name)


def _exit(detail: str) -> str:
    if not detail.isdecimal():
        return "its program ended"
    return f"its program {exit_meaning(int(detail))}, exit code {detail}"


def _memory(detail: str) -> str:
    peak, _, limit = detail.partition("/")
    if not limit.isdecimal():
        return f" ({detail})" if detail else ""
    if int(limit) == 0:
        return f" (used {show_size(int(peak))})" if peak.isdecimal() else ""
    if not peak.isdecimal():
        return f" (its limit is {show_size(int(limit))})"
    return f" (used {show_size(int(peak))} of {show_size(int(limit))})"
