"""The promises of DS01, by id, on a real engine, as two ordinary users. What each does is in ``dev/promises``."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from dev.promises import PROMISES, Promise, keep
from dev.promises.lab import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]


def _test(promise: Promise) -> Callable[[Lab], None]:
    def holds(lab: Lab) -> None:
        outcome = keep(promise, lab)
        assert outcome.ok, outcome.what

    holds.__doc__ = promise.says
    return holds


# One test per promise, named as its function is: test_w1_files_survive_everything and so on.
for _promise in PROMISES:
    globals()[f"test_{_promise.check.__name__}"] = _test(_promise)


def test_every_promise_of_the_main_job_has_its_function() -> None:
    wanted = {f"C{n}" for n in range(1, 7)} | {f"E{n}" for n in range(1, 8)} | {f"W{n}" for n in range(1, 6)}
    wanted |= {f"{letter}{n}" for letter in "PF" for n in range(1, 4)}
    assert {promise.id for promise in PROMISES} == wanted
