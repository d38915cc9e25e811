"""BuildKit's cache as one user sees and prunes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ds01.domain.dockerpolicy.cachelist import own, prune_of
from ds01.domain.dockerpolicy.cacheprune import judge_cache_prune
from ds01.domain.dockerpolicy.protobuf import Field, fields, of, render
from ds01.domain.dockerpolicy.verdict import RefusedError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def listed(*ids: str) -> bytes:
    return render([of(1, render([of(1, each), of(4, 100), of(9, f"exec {each}")])) for each in ids])


def test_d24_the_list_has_ones_own() -> None:
    assert own(listed("a", "b", "c"), {"b"}) == listed("b")
    assert own(listed("a"), frozenset()) == b""


def filters(message: bytes | None) -> list[str]:
    assert message is not None
    return [field.text for field in fields(message) if field.number == 1]


def test_d24_a_prune_names_ones_own_whatever_is_asked_besides() -> None:
    assert prune_of(b"", frozenset()) is None
    assert filters(prune_of(render([of(2, 1)]), {"a", "b"})) == ["id==a", "id==b"]
    asked = render([of(1, "id==theirs"), of(1, "type==regular"), of(2, 1), of(3, 5)])
    found = prune_of(asked, {"a"})
    assert filters(found) == ["id==a,id==theirs", "id==a,type==regular"]
    assert found is not None
    assert [(each.number, each.value) for each in fields(found) if each.number != 1] == [(2, 1), (3, 5)]


@pytest.mark.parametrize("field", [of(4, 1000), of(5, 1), of(6, 1), of(7, 1), of(8, 1), of(99, "x")])
def test_d24_what_would_count_what_others_have_is_refused(field: Field) -> None:
    with pytest.raises(RefusedError):
        prune_of(render([field]), {"a"})


def row(name: str, created: int, used: int, size: int = 10, **more: Any) -> dict[str, Any]:
    day = "2026-03-{:02}T00:00:00.5Z"
    return {"ID": name, "CreatedAt": day.format(created), "LastUsedAt": day.format(used), "Size": size, **more}


ROWS = [row("old", 1, 1, Type="regular"), row("used", 1, 2, Type="source.local"), row("busy", 2, 2, InUse=True),
        row("new", 3, 3, Type="regular", Shared=True, Parents=["old"], Description="mount / from exec")]  # fmt: skip


@pytest.mark.parametrize(
    ("keep", "asked", "ids"),
    [
        ([], {}, ["new", "old", "used"]), (["0"], {}, ["new", "old", "used"]), (["15"], {}, ["new", "old", "used"]),
        (["25"], {}, ["old", "used"]), (["1000"], {}, []), ([], {"until": ["24h"]}, ["old"]),
        ([], {"unused-for": ["2026-03-01T12:00:00"]}, ["old"]), ([], {"id": ["old"]}, ["old"]),
        ([], {"type": ["source.local"]}, ["used"]), ([], {"id": ["theirs"]}, []),
        ([], {"parent": ["old"]}, ["new"]), ([], {"description": ["mount / from exec"]}, ["new"]),
        ([], {"shared": ["true"]}, ["new"]), ([], {"private": ["1"]}, ["old", "used"]), ([], {"inuse": ["true"]}, []),
        ([], {"shared": ["false"], "type": ["regular"]}, ["old"]),
    ],
)  # fmt: skip
def test_what_a_prune_means(keep: list[str], asked: dict[str, list[str]], ids: list[str]) -> None:
    assert sorted(judge_cache_prune(keep, asked, NOW).takes(ROWS)) == ids


def test_times_of_any_zone_are_compared_as_the_moments_they_are() -> None:
    """By their texts the first of these would be the last, and each two hours later than it is."""
    east, west = "2026-03-02T12:30:00.123456789+02:00", "2026-03-02T05:45:00-05:00"
    rows = [{"ID": "east", "CreatedAt": east, "Size": 10}, {"ID": "west", "CreatedAt": west, "Size": 10},
            {"ID": "utc", "CreatedAt": "2026-03-02T11:00:00Z", "Size": 10}]  # fmt: skip
    assert judge_cache_prune([], {"until": ["80m"]}, NOW).takes(rows) == ["east"]
    assert judge_cache_prune([], {}, NOW).takes(rows) == ["utc", "west", "east"]
    assert judge_cache_prune(["25"], {}, NOW).takes(rows) == ["east"]


def test_what_cannot_be_read_is_refused() -> None:
    for asked in (
        {"shared": ["perhaps"]},
        {"inuse": ["1", "0"]},
        {"until": ["soon"]},
        {"until": ["1h"], "unused-for": ["1h"]},
    ):
        with pytest.raises(RefusedError):
            judge_cache_prune([], asked, NOW)


def test_p18_the_filters_of_a_prune_are_no_longer_than_those_of_a_query() -> None:
    with pytest.raises(RefusedError, match="2048 characters"):
        prune_of(render([of(1, "x" * 1025)] * 2), {"a"})
    assert prune_of(render([of(1, "x" * 1024)] * 2), {"a"})
