"""Logs: as many files, and as large, as asked, while they are not too much together."""

from __future__ import annotations

from typing import Any

import pytest

from ds01.domain.dockerpolicy import logs
from ds01.domain.dockerpolicy.case import Asker, Case
from ds01.domain.dockerpolicy.strictjson import Json


def judged(options: dict[str, str], kind: str = "json-file") -> tuple[Any, int]:
    """What becomes of it, and how often the user is told."""
    case = Case(asker=Asker(uid=1002, gid=1002))
    config: dict[str, Json] = {**options}
    return logs.judge(case, {"Type": kind, "Config": config}), len(case.changes)


@pytest.mark.parametrize(("options", "kept"), [
    ({"max-size": "1m"}, {"max-size": "1m"}),
    ({"max-size": "30m"}, {"max-size": "30m"}),
    ({"max-size": "300k", "max-file": "100"}, {"max-size": "300k", "max-file": "100"}),
    ({"max-file": "100"}, {"max-size": "300000b", "max-file": "100"}),
])  # fmt: skip
def test_d6_what_is_not_too_much_is_kept_and_shown_as_asked(options: dict[str, str], kept: dict[str, str]) -> None:
    assert judged(options) == ({"Type": "json-file", "Config": kept}, 0)
    assert logs.shown(kept) == options


@pytest.mark.parametrize("options", [
    {"max-size": "31m"}, {"max-size": "15m", "max-file": "3"}, {"max-file": "101"}, {"max-file": "0"},
    {"max-size": "-1"}, {"max-size": "0"}, {"max-size": "1b"}, {"max-size": "1g"}, {"max-file": "3", "tag": "x"},
    {"max-size": "1m\n"}, {"max-size": "\uff11m"},
])  # fmt: skip
def test_d6_what_is_too_much_or_unknown_becomes_the_usual_and_is_told(options: dict[str, str]) -> None:
    if any(not text.isprintable() for text in options.values()):
        with pytest.raises(Exception, match="LogConfig"):
            judged(options)
    else:
        assert judged(options) == (logs.DEFAULT, 1)


def test_nothing_asked_is_the_usual_and_shown_as_nothing() -> None:
    assert judged({}) == (logs.DEFAULT, 0)
    assert judged({}, "") == (logs.DEFAULT, 0)
    assert judged({"max-size": "1m"}, "local") == (logs.DEFAULT, 1)
    assert logs.shown({"max-size": "10m", "max-file": "3"}) == {}
