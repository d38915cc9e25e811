"""Which signals are meant to end a container: only those say why it ended.

Any other (``USR1`` to write a checkpoint, ``HUP`` to read the configuration again, ``CONT``) leaves it running, and
what ends it later has a reason of its own.
"""

from __future__ import annotations

PATTERN = r"[A-Za-z]{2,10}[0-9]?(?:[+-][0-9]{1,2})?|[0-9]{1,2}"
"""How a signal is written: ``TERM``, ``SIGUSR1``, ``RTMIN+3``, ``9``."""
ENDING = frozenset({"KILL", "TERM", "INT", "QUIT"})
_NUMBERS = {"1": "HUP", "2": "INT", "3": "QUIT", "9": "KILL", "10": "USR1", "12": "USR2", "15": "TERM", "28": "WINCH"}
"""Those that people send, or name as an image's stop signal, by number."""


def plain(signal: str) -> str:
    """One spelling of a signal: ``9``, ``09``, ``kill`` and ``SIGKILL`` are ``KILL``."""
    name = signal.strip().upper().removeprefix("SIG")
    number = name.lstrip("0") or name
    return _NUMBERS.get(number, number) if name.isdecimal() else name


def ends(signal: str, own: str = "") -> bool:
    """Whether somebody who sends this wants the container to end. None named is ``KILL``, as with the engine; ``own``
    is the stop signal of the container itself.
    """
    asked = plain(signal or "KILL")
    return asked in ENDING or (bool(own) and asked == plain(own))
