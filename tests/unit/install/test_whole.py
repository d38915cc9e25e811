"""What is broken off is put back, whatever broke it off; a lost connection breaks nothing off."""

from __future__ import annotations

import os
import signal

import pytest

from ds01.domain.errors import INSTALL_FAILED, Ds01Error
from ds01.install.whole import Say, whole

FAILED = Ds01Error(INSTALL_FAILED, "'systemctl' failed.", reason="It was busy.")


class Work:
    """Ends as told, and knows what was done and said."""

    def __init__(self, *, ends: BaseException | None = None, back: BaseException | None = None) -> None:
        self.ends, self.back_ends = ends, back
        self.done: list[str] = []
        self.said: list[str] = []

    def __call__(self, say: Say) -> None:
        self._do("work", self.ends)

    def back(self, say: Say) -> None:
        say("putting back")
        self._do("back", self.back_ends)

    def _do(self, what: str, ends: BaseException | None) -> None:
        if ends is not None:
            raise ends
        self.done.append(what)


@pytest.mark.parametrize("ends", [FAILED, KeyboardInterrupt(), SystemExit(1), RuntimeError("a mistake")])
def test_whatever_ends_it_early_it_is_put_back(ends: BaseException) -> None:
    work = Work(ends=ends)
    with pytest.raises(type(ends)):
        whole(work, work.back, work.said.append)
    assert work.done == ["back"]
    assert any("put back" in said for said in work.said)


def test_what_was_in_force_before_is_left_as_it_is() -> None:
    work = Work(ends=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        whole(work, None, work.said.append)
    assert work.done == []


def test_what_could_not_be_put_back_is_said_with_what_failed() -> None:
    work = Work(ends=FAILED, back=OSError(28, "No space left on device", "/etc/x"))
    with pytest.raises(Ds01Error) as failed:
        whole(work, work.back, work.said.append)
    assert "busy" in failed.value.problem.reason
    assert "/etc/x" in failed.value.problem.reason
    work = Work(ends=KeyboardInterrupt(), back=FAILED)
    with pytest.raises(KeyboardInterrupt):
        whole(work, work.back, work.said.append)
    assert "'systemctl' failed." in work.said[-1]


def test_a_lost_connection_ends_nothing() -> None:
    done: list[str] = []

    def gone(text: str) -> None:
        raise OSError(5, "Input/output error")

    def work(say: Say) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        say("starting")
        done.append("work")

    before = signal.getsignal(signal.SIGHUP)
    whole(work, lambda say: done.append("back"), gone)
    assert done == ["work"]
    assert signal.getsignal(signal.SIGHUP) == before


def test_ctrl_c_does_not_keep_it_from_being_put_back() -> None:
    done: list[str] = []

    def work(say: Say) -> None:
        raise KeyboardInterrupt

    def back(say: Say) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        done.append("back")

    with pytest.raises(KeyboardInterrupt):
        whole(work, back, done.append)
    assert "back" in done
