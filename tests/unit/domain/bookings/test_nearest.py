"""What could be booked instead is possible, and nothing nearer is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.bookings.nearest import all_possible, moved, nearest, smaller
from ds01.domain.queue.booking import Booking
from tests.unit.domain.queue.test_booking import booked
from tests.values import NOW, gpu, slots

SERVER = slots(gpu(0), gpu(1), gpu(2))


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(1, 6), st.integers(1, 3)), max_size=6), st.integers(1, 20),
    st.integers(1, 4), st.integers(1, 3),
)  # fmt: skip
def test_the_nearest_time_is_the_nearest(
    others: list[tuple[int, int, int]], begin: int, length: int, count: int
) -> None:  # fmt: skip
    taken: list[Booking] = []
    for number, (at, long, many) in enumerate(others):
        one = booked(f"o{number}", at, at + long, many)
        if all_possible([one], taken, SERVER):
            taken.append(one)
    wanted = [booked("new", begin, begin + length, count)]
    if all_possible(wanted, taken, SERVER):
        return
    found = nearest(wanted, taken, SERVER, NOW, lambda _: True)
    at_other_time = [one for one in found if one.begins_at != wanted[0].begins_at]
    assert at_other_time, "the week after is always free"
    shift = at_other_time[0].begins_at - wanted[0].begins_at
    assert all_possible(moved(wanted, shift), taken, SERVER)
    for hours in range(-20, 21):
        nearer = timedelta(hours=hours)
        if abs(nearer) < abs(shift) and wanted[0].begins_at + nearer >= NOW:
            assert not all_possible(moved(wanted, nearer), taken, SERVER)
    _fewer(wanted, [one.count for one in found if one.begins_at == wanted[0].begins_at], taken)


def _fewer(wanted: Sequence[Booking], counts: Sequence[int], taken: Sequence[Booking]) -> None:
    """At the same time: the most that can be had."""
    able = [
        number for number in range(1, wanted[0].count) if all_possible(smaller(wanted, number), taken, SERVER)
    ]  # fmt: skip
    assert list(counts) == ([max(able)] if able else [])
