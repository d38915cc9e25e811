"""The life of a request."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ds01.domain.errors import REQUEST_ENDED, Ds01Error
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.lease import LeaseId
from ds01.domain.queue.request import Request, RequestId, RequestState, may_become, moved
from tests.values import ALICE, NOW

REQUEST = Request(
    id=RequestId("request-1"), uid=ALICE.uid, epoch=1, name="thesis", ask=GpuAsk(), submitted_at=NOW
)  # fmt: skip
LATER = NOW + timedelta(minutes=5)


def test_a_turn_that_is_claimed() -> None:
    held = moved(REQUEST, RequestState.RESERVED, NOW, lease=LeaseId("lease-1"), claim_until=LATER)
    assert (held.lease, held.claim_until, held.state.open) == ("lease-1", LATER, True)
    taken = moved(held, RequestState.TAKEN, LATER)
    assert (taken.lease, taken.claim_until, taken.ended_at) == ("lease-1", None, LATER)


def test_a_turn_whose_slot_fell_ill_waits_again_with_its_age() -> None:
    held = moved(REQUEST, RequestState.RESERVED, NOW, lease=LeaseId("lease-1"), claim_until=LATER)
    assert moved(held, RequestState.WAITING, LATER, reason="GPU 0 fell ill").submitted_at == NOW
    assert moved(held, RequestState.WAITING, LATER).lease is None


@pytest.mark.parametrize("end", [state for state in RequestState if not state.open])
def test_an_end_is_an_end(end: RequestState) -> None:
    assert not any(may_become(end, state) for state in RequestState)
    over = moved(REQUEST, end, LATER, reason="you took it back")
    with pytest.raises(Ds01Error) as refused:
        moved(over, RequestState.WAITING, LATER)
    assert refused.value.kind is REQUEST_ENDED
    assert refused.value.problem.reason == "you took it back"
