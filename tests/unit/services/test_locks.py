"""Who waits too long for something reads what is busy, and with what."""

from __future__ import annotations

import pytest

from ds01.domain.errors import BUSY, Ds01Error
from ds01.domain.people import Uid
from ds01.services.locks import Locks

ADA = Uid(1001)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ("", "Container 'exp' is busy: start is still going on."),
        ("Your volumes are busy", "Your volumes are busy: start is still going on."),
    ],
)
async def test_what_is_busy_is_named(told: str, sentence: str) -> None:
    locks = Locks()
    async with locks.hold(ADA, "exp", "start", told=told):
        with pytest.raises(Ds01Error) as refused:
            async with locks.hold(ADA, "exp", "stop", patience=0.01, told=told):
                pass
    assert refused.value.problem.kind is BUSY
    assert refused.value.problem.message == sentence
    assert not locks.busy(ADA, "exp")
