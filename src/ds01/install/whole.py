"""All of it or nothing: what is broken off the first time is put back, whatever broke it off.

A lost connection breaks nothing off: the work goes on with nobody listening. Ctrl-C does, but not while things are
put back, because half put back is worst of all.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ds01.domain.errors import INSTALL_FAILED, Ds01Error

Say = Callable[[str], None]


def whole(work: Callable[[Say], None], back: Callable[[Say], None] | None, say: Say) -> None:
    """Do the work. When it ends early ``back`` puts all back, if there is something to put back to.

    Raises what ended it: Ds01Error for what failed, and what could not be put back with it; else the exception itself.
    """
    told = _safely(say)
    with _deaf_to(signal.SIGHUP):
        try:
            work(told)
        except (Ds01Error, OSError) as error:
            failed = as_error(error)
            if back is None:
                raise failed from error
            told("That failed. Everything is put back.")
            raise _with(failed, _put_back(back, told)) from error
        except BaseException:
            if back is not None:
                told("That was broken off. Everything is put back.")
                told(_left(_put_back(back, told)))
            raise


def as_error(error: Ds01Error | OSError) -> Ds01Error:
    """As a sentence."""
    if isinstance(error, Ds01Error):
        return error
    return Ds01Error(INSTALL_FAILED, f"{error.filename or 'A file'} could not be written.", reason=f"{error.strerror}.")


def _put_back(back: Callable[[Say], None], say: Say) -> Ds01Error | None:
    """Undo it; returns what could not be undone."""
    with _deaf_to(signal.SIGINT):
        try:
            back(say)
        except (Ds01Error, OSError) as error:
            return as_error(error)
    return None


def _with(failed: Ds01Error, second: Ds01Error | None) -> Ds01Error:
    if second is None:
        return failed
    problem = failed.problem
    return Ds01Error(
        problem.kind, problem.message, reason=f"{problem.reason} {_left(second)}".strip(), hint="ds01 uninstall"
    )


def _left(second: Ds01Error | None) -> str:
    if second is None:
        return "It is as it was before."
    return f"Not everything could be put back: {second.problem.message}"


def _safely(say: Say) -> Say:
    """The terminal may be gone by now, and that is no reason to stop half-way."""

    def told(text: str) -> None:
        with suppress(OSError):
            say(text)

    return told


@contextmanager
def _deaf_to(sort: signal.Signals) -> Iterator[None]:
    before = signal.signal(sort, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(sort, before)
