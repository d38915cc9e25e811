"""Which signals end a container: the same whether it is written as a name or as a number."""

from __future__ import annotations

import pytest

from ds01.domain.signals import ends


@pytest.mark.parametrize("signal", ["", "KILL", "SIGKILL", "sigkill", "9", "09", "TERM", "15", "int", "2", "QUIT", "3"])
def test_these_are_meant_to_end_it(signal: str) -> None:
    assert ends(signal)


@pytest.mark.parametrize(
    "signal", ["HUP", "1", "USR1", "SIGUSR1", "10", "usr2", "WINCH", "28", "CONT", "18", "0", "RTMIN+3", "99"]
)
def test_these_are_not(signal: str) -> None:
    assert not ends(signal)


@pytest.mark.parametrize(
    ("signal", "own"), [("USR1", "SIGUSR1"), ("10", "SIGUSR1"), ("SIGRTMIN+3", "RTMIN+3"), ("37", "37")]
)
def test_its_own_stop_signal_is(signal: str, own: str) -> None:
    assert ends(signal, own)
    assert not ends("USR2", own)
