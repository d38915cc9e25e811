"""How often is too often."""

from __future__ import annotations

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.decisions import DECISIONS
from ds01.gateway.pace import Costly, Pace
from ds01.gateway.table import ROUTES


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds


async def too_often(pace: Pace) -> None:
    for _ in range(100):
        await pace.take(1, Costly.MEASURE)


async def test_d10_a_burst_passes_then_one_waits_then_one_is_refused() -> None:
    time = Time()
    pace = Pace(time, time.sleep)
    rate = Costly.MEASURE
    for _ in range(int(rate.burst)):
        await pace.take(1, Costly.MEASURE)
    assert time.slept == 0
    await pace.take(1, Costly.MEASURE)
    assert 0 < time.slept <= 1 / rate.per_second
    with pytest.raises(RefusedError) as caught:
        await too_often(pace)
    assert caught.value.status == 429
    await pace.take(2, Costly.MEASURE)
    await pace.take(1, Costly.EXEC)
    time.now += rate.burst / rate.per_second + 60
    before = time.slept
    await pace.take(1, Costly.MEASURE)
    assert time.slept == before


def test_every_kind_of_request_has_its_decision() -> None:
    served = {route.name for route in ROUTES if route.refusal is None}
    assert served == set(DECISIONS)
    for route in ROUTES:
        if route.refusal is not None:
            assert route.refusal.what
