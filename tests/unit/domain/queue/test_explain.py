"""What one who waits is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import inf

import pytest

from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.queue.booking import Booking
from ds01.domain.queue.estimate import Load, Ranges, Runs, reckoned
from ds01.domain.queue.explain import WORDS, Explanation, Instead, explain
from ds01.domain.queue.floor import WHOLE
from ds01.domain.queue.plan import Member, Rules, Server, Taken, Why
from ds01.domain.queue.request import Request, RequestId
from tests.unit.domain.queue.world import EASY, booked, gpus, has, hours, member, want, who
from tests.values import NOW, gpu, slots

HALVES = slots(gpu(9, parts=["3g.20gb", "3g.20gb"]))


def told(
    waiting: Sequence[Request], taken: Sequence[Taken], size: int = 4, *, bookings: Sequence[Booking] = (),
    rules: Rules = EASY, mig: bool = False, **members: Member,
) -> dict[str, Explanation]:  # fmt: skip
    known = {who(letter): Member() for letter in "abcdz"} | {who(key): value for key, value in members.items()}
    server = Server(slots=gpus(size) + (HALVES if mig else ()), taken=tuple(taken), bookings=tuple(bookings))
    return {str(key): value for key, value in explain(waiting, server, known, NOW, rules).items()}


def test_who_is_next_and_when_at_the_latest() -> None:
    found = told([want("head", 4, waited=1)], [has("b", [0, 1, 2, 3], 2)])["head"]
    assert (found.position, found.ahead, found.why) == (1, 0, Why.FULL)
    assert found.latest == NOW + hours(2)
    assert found.earliest is not None
    assert NOW < found.earliest < NOW + hours(2)
    assert found.words == WORDS[Why.FULL]


def test_others_are_a_number() -> None:
    waiting = [want(f"r{n}", 4, waited=9 - n, by="ab"[n % 2]) for n in range(5)]
    found = told(waiting, [has("c", [0], 2)])
    assert [found[f"r{n}"].ahead for n in range(5)] == [0, 1, 2, 3, 4]
    assert found["r4"].reckoned_seconds == pytest.approx(6 * 3600)


def test_a_shorter_time_fewer_gpus_and_a_smaller_slot_that_would_start_now() -> None:
    waiting = [want("mine", 2, 9, profile="full"), want("head", 3, waited=5, profile="full")]
    found = told(waiting, [has("b", [0, 1], 2)], mig=True)
    assert found["mine"].why is Why.HEAD
    assert found["mine"].instead == (
        Instead(ask=GpuAsk(count=2, profile="full"), planned=hours(2), what="a shorter time"),
        Instead(ask=GpuAsk(count=1, profile="full"), planned=hours(9), what="fewer GPUs"),
        Instead(ask=GpuAsk(profile="3g.20gb"), planned=hours(9), what="a smaller slot"),
    )


def test_before_a_booking_only_what_is_done_by_then() -> None:
    found = told([want("mine", 1, 9)], [], bookings=[booked("class", 1.5, 3, 4)])["mine"]
    assert found.why is Why.BOOKING
    assert found.instead == (Instead(ask=GpuAsk(), planned=hours(1.5), what="a shorter time"),)


def test_over_quota_it_is_ones_own_end_that_counts() -> None:
    found = told([want("more", 1)], [has("a", [0], 5), has("a", [1], 3)], a=member(quota=2))["more"]
    assert found.why is Why.QUOTA
    assert found.reckoned_seconds == 3 * 3600
    assert found.instead == ()


def test_where_nobody_knows_there_is_no_range() -> None:
    found = told([want("mine", 4)], [has("b", [0], None)])["mine"]
    assert (found.earliest, found.latest, found.reckoned_seconds) == (None, None, inf)


def test_only_those_asked_for() -> None:
    waiting = [want("a", 4, waited=2), want("b", 4, by="b")]
    server = Server(slots=gpus(4), taken=(has("c", [0], 1),))
    members = {who(letter): Member() for letter in "abc"}
    assert list(explain(waiting, server, members, NOW, EASY, only=[RequestId("b")])) == ["b"]


def test_what_is_offered_would_really_start() -> None:
    waiting = [want("mine", 3, 9), want("head", 4, waited=5)]
    taken = [has("b", [0], 2)]
    for instead in told(waiting, taken)["mine"].instead:
        again = [want("mine", instead.ask.count, instead.planned / hours(1) if instead.planned else None), waiting[1]]
        assert "mine" not in told(again, taken)


# how long, and how sure -------------------------------------------------------------------------------
def test_reckoning_takes_slots_in_order() -> None:
    one, two = Load(1, WHOLE, 100), Load(2, WHOLE, 50)
    assert reckoned([0, 10], [], one) == 0
    assert reckoned([0, 10], [], two) == 10
    assert reckoned([0, 10], [two], one) == 60
    assert reckoned([0, 10], [one], two) == 100
    assert reckoned([0], [Load(1, WHOLE // 2, 100)] * 3, one) == 150
    assert reckoned([0], [], two) == inf


def test_runs_are_as_long_as_the_last_ones_were() -> None:
    runs = Runs()
    assert runs.likely("anna", 100) == 100
    for used in (10, 90, 20):
        runs.saw("anna", 100, used)
    assert runs.likely("anna", 3600) == pytest.approx(720)
    assert runs.likely("ben", 3600) == 3600


def test_a_range_is_as_wide_as_errors_were() -> None:
    calm, wild = Ranges(), Ranges()
    for number in range(500):
        calm.saw(600, 600 + number % 10)
        wild.saw(600, 6000 * (number % 10) / 10)
    low, high = calm.around(3600)
    assert 3500 < low <= high < 3700
    assert wild.around(3600)[1] - wild.around(3600)[0] > 5 * (high - low)
    assert timedelta(seconds=Ranges().around(60)[1]) > timedelta(seconds=60)
