"""What is taken back when a step fails, and what is left when that fails too."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import pytest

from ds01.domain.errors import ENGINE_DOWN, Ds01Error
from ds01.services.rollback import Rollback


def undoing(done: list[str], what: str, fault: Exception | None) -> Callable[[], Awaitable[None]]:
    async def act() -> None:
        if fault is not None:
            raise fault
        done.append(what)

    return act


async def failing(done: list[str], **steps: Exception | None) -> None:
    """A step fails after these; undoing one fails with its exception."""
    async with Rollback() as rollback:
        for what, fault in steps.items():
            rollback.add(what, undoing(done, what, fault))
        raise ValueError("no")


async def test_all_is_taken_back_last_first() -> None:
    done: list[str] = []
    with pytest.raises(ValueError, match="no"):
        await failing(done, pins=None, lease=None)
    assert done == ["lease", "pins"]


@pytest.mark.parametrize("fault", [Ds01Error(ENGINE_DOWN, "The engine is away."), OSError(16, "it is in use")])
async def test_where_that_fails_the_first_error_is_told_and_what_it_stands_on_is_left(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []
    with caplog.at_level(logging.WARNING), pytest.raises(ValueError, match="no"):
        await failing(done, lease=None, container=fault, network=None)
    assert done == ["network"]
    (record,) = caplog.records
    assert (record.getMessage(), record.__dict__["what"]) == ("left to the reconciler", ["container", "lease"])
