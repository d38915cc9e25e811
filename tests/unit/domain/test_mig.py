"""Plans for dividing GPUs: how they are read, and what a card has room for."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.mig import MigProfile, Partition, arranged, is_so, now, partitions, places
from ds01.sim.catalogue import MODELS
from ds01.sim.partition import gpu

A100 = MODELS["a100-40gb"].profiles
NAMES = st.lists(st.sampled_from(sorted(A100)), max_size=4)


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("1: 3g.20gb 2g.10gb", [Partition(index=1, profiles=("3g.20gb", "2g.10gb"))]),
        ("1:3G.20GB, 2g.10gb", [Partition(index=1, profiles=("3g.20gb", "2g.10gb"))]),
        ("GPU 0: 3x1g.5gb", [Partition(index=0, profiles=("1g.5gb",) * 3)]),
        ("0: off; 2: 7g.40gb;", [Partition(index=0, profiles=None), Partition(index=2, profiles=("7g.40gb",))]),
    ],
)
def test_plans(text: str, plan: list[Partition]) -> None:
    assert list(partitions(text)) == plan
    assert list(partitions("; ".join(f"{each.index}: {each.text}" for each in plan))) == plan


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("3g.20gb", "is no plan"),
        ("1:", "after the colon"),
        ("1: off 1g.5gb", "after the colon"),
        ("1: off; 1: 7g.40gb", "twice"),
    ],
)
def test_what_is_no_plan(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        partitions(text)


def test_what_is_so_already() -> None:
    divided, whole, empty = (gpu(f"a100-40gb{rest}", 0) for rest in (": 3g.20gb 2g.10gb", "", ":"))
    assert is_so(divided, ("2g.10gb", "3g.20gb"))
    assert not is_so(divided, ("2g.10gb",))
    assert not is_so(divided, None)
    assert is_so(whole, None)
    assert not is_so(empty, None)
    assert is_so(empty, ())
    assert [now(each) for each in (divided, whole, empty)] == ["3g.20gb 2g.10gb", "off", ""]


def test_the_nearest_that_would_fit_is_named() -> None:
    with pytest.raises(ValueError, match=r"8 compute slices of 7.* 4g\.20gb would fit"):
        places("GPU 1", ["4g.20gb", "4g.20gb"], A100.values())
    with pytest.raises(ValueError, match=r"overlap\. 3g\.20gb \+ 3g\.20gb would fit"):
        places("GPU 1", ["3g.20gb", "1g.5gb", "3g.20gb"], A100.values())
    with pytest.raises(ValueError, match=r"did you mean '3g\.20gb'"):
        places("GPU 1", ["3g.2gb"], A100.values())
    with pytest.raises(ValueError, match="has no MIG"):
        places("GPU 1", ["3g.20gb"], ())


@given(NAMES)
def test_a_place_is_found_exactly_when_there_is_one(names: list[str]) -> None:
    wanted = [A100[name] for name in names]
    assert (arranged(wanted) is not None) == any(
        _apart(wanted, starts) for starts in product(*(w.starts for w in wanted))
    )


@given(NAMES)
def test_places_never_overlap(names: list[str]) -> None:
    wanted = [A100[name] for name in names]
    starts = arranged(wanted)
    assert starts is None or _apart(wanted, tuple(starts))


def test_many_are_refused_at_once() -> None:
    assert arranged([A100["1g.5gb"]] * 5000) is None


def _apart(wanted: list[MigProfile], starts: tuple[int, ...]) -> bool:
    cells = [cell for each, start in zip(wanted, starts, strict=True) for cell in range(start, start + each.width)]
    return len(cells) == len(set(cells)) and all(s in w.starts for w, s in zip(wanted, starts, strict=True))
