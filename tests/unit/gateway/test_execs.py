"""Commands in containers: remembered, and not for ever."""

from __future__ import annotations

from ds01.gateway.execs import REMEMBERED, Execs


def test_the_latest_are_remembered() -> None:
    execs = Execs()
    for number in range(REMEMBERED + 2):
        execs.learn(f"e{number}", f"c{number}")
    assert [execs.container(f"e{number}") for number in (0, 1, 2, REMEMBERED + 1)] == [
        "",
        "",
        "c2",
        f"c{REMEMBERED + 1}",
    ]
    assert execs.container("never") == ""
