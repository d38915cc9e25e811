"""Whose a record of BuildKit's cache is: told by when it was made and used, and narrowed as time goes by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.build_cache import LONGEST, CacheBooks, CacheRecord, cache_shares

A, B, C = "1001:1", "1002:1", "1003:2"
T0 = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def record(
    name: str, created: float, used: float | None = None, *, size: int = 100, shared: bool = False, mount: str = ""
) -> CacheRecord:
    said = f'cached mount /c from exec /bin/sh -c x with id "{mount}"' if mount else "mount / from exec x"
    return CacheRecord(
        id=name, kind="exec.cachemount" if mount else "regular", description=said, size_bytes=size, shared=shared,
        in_use=False, created_at=at(created), used_at=None if used is None else at(used),
    )  # fmt: skip


def test_who_built_alone_when_it_was_made_has_it() -> None:
    books = CacheBooks().begun(A, at(0)).ended(A, at(5)).begun(B, at(10))
    found = books.compared([record("a", 3), record("b", 12), record("none", 7)], at(15)).owners
    assert found == {"a": {A}, "b": {B}, "none": frozenset()}


def test_who_may_have_it_becomes_fewer_with_every_use() -> None:
    books = CacheBooks().begun(A, at(0)).begun(B, at(1))
    books = books.compared([record("x", 3), record("y", 3)], at(4))
    assert books.owners == {"x": {A, B}, "y": {A, B}}
    books = books.ended(A, at(5)).ended(B, at(5)).begun(B, at(10)).ended(B, at(12))
    books = books.compared([record("x", 3, 11), record("y", 3)], at(13))
    assert books.owners == {"x": {B}, "y": {A, B}}
    books = books.begun(A, at(20)).compared([record("x", 3, 11), record("y", 3, 21)], at(22))
    assert books.owners == {"x": {B}, "y": {A}}


def test_a_use_that_was_looked_at_is_not_looked_at_again() -> None:
    """Of two who were building then, one is not there any more and the other goes on."""
    books = CacheBooks().begun(A, at(0)).begun(B, at(0)).compared([record("x", 1, 2)], at(3))
    books = books.ended(A, at(4)).compared([record("x", 1, 2)], at(6)).compared([record("x", 1, 2)], at(8))
    assert books.owners == {"x": {A, B}}
    assert [window.account for window in books.windows] == [B]


def test_what_is_let_go_late_stays_whose_it_is() -> None:
    """Somebody else is building by then, and alone."""
    for late in (0.1, 3.0):
        books = CacheBooks().begun(A, at(0)).ended(A, at(2)).begun(B, at(2.01))
        assert books.compared([record("x", 1, 2 + late)], at(9)).owners == {"x": {A}}
    books = CacheBooks().begun(A, at(0)).ended(A, at(2)).begun(B, at(2.01))
    assert books.compared([record("x", 2.02, 2.1)], at(9)).owners == {"x": {B}}


def test_a_cache_mount_says_whose_it_is() -> None:
    both = CacheBooks().begun(A, at(0)).begun(C, at(0))
    assert both.compared([record("m", 1, mount="1003-2//root/.cache")], at(2)).owners == {"m": {C}}


def test_what_the_author_of_a_step_writes_charges_nobody_else() -> None:
    """The step's own words stand before what BuildKit says; an older BuildKit says nothing after them."""
    said = record("m", 1, mount='1001-1/" ; dd of=/c/x with id "1003-2//c')
    bare = record("n", 1, mount="1001-1/x")
    alone = CacheBooks().begun(C, at(0)).compared([said, bare], at(2)).owners
    assert alone == {"m": {C}, "n": {C}}
    both = CacheBooks().begun(A, at(0)).begun(C, at(0)).compared([said], at(2)).owners
    assert both == {"m": {C}}


def test_a_build_whose_end_nobody_told_ends() -> None:
    books = CacheBooks().begun(A, at(0))
    assert books.compared([], at(10)).windows
    assert not books.compared([], at(1) + LONGEST).windows


def test_what_is_gone_is_forgotten() -> None:
    books = CacheBooks().begun(A, at(0)).compared([record("x", 1)], at(2))
    assert books.compared([], at(3)).owners == {}


def test_what_two_may_have_made_each_may_give_up_and_the_last_one_removes() -> None:
    made = [record("x", 1), record("used", 1), record("hers", 3)]
    books = CacheBooks().begun(A, at(0)).begun(B, at(0)).ended(B, at(2)).compared(made, at(4))
    assert books.owners == {"x": {A, B}, "used": {A, B}, "hers": {A}}
    books = books.given_up(A, {"used"})
    for _ in range(2):
        assert books.owners == {"x": {B}, "used": {A, B}, "hers": {A}}
        assert books.last(B) == {"x"}
        assert not books.alone(B)
        assert books.alone(A) == {"hers"}
        assert cache_shares(made, books.owners, books.dropped) == {A: 150, B: 100}
        books = books.compared(made, at(5))
    assert books.given_up(B).last(B) == {"x"}
    assert books.given_up(A).given_up(B).last(B) == {"x", "used"}


def test_who_uses_alone_what_she_gave_up_has_it_again() -> None:
    books = CacheBooks().begun(A, at(0)).begun(B, at(0)).ended(B, at(2)).compared([record("x", 1)], at(4))
    books = books.given_up(A).compared([record("x", 1, 6)], at(7))
    assert books.owners == {"x": {A}}
    assert not books.dropped


def test_a_build_that_goes_on_for_days_is_known_to() -> None:
    books = CacheBooks().begun(A, at(0))
    assert books.compared([], at(1) + LONGEST, frozenset({A})).windows
    assert not books.compared([], at(1) + LONGEST, frozenset({B})).windows


OWNERS = st.dictionaries(st.sampled_from("wxyz"), st.frozensets(st.sampled_from([A, B, C])))


@given(OWNERS, st.integers(0, 10**9))
def test_the_parts_of_all_are_what_is_there(owners: dict[str, frozenset[str]], size: int) -> None:
    records = [record(name, 1, size=size) for name in owners] + [record("s", 1, size=size, shared=True)]
    paid = sum(1 for accounts in owners.values() if accounts)
    total = sum(cache_shares(records, {**owners, "s": frozenset({A})}).values())
    assert paid * size <= total <= paid * size + 3 * paid
