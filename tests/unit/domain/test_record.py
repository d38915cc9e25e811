"""A record is a frozen dataclass to everybody who looks."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ds01.domain.record import made, names, record, replace

if TYPE_CHECKING:
    from dataclasses import KW_ONLY


@record
class Point:
    """A record."""

    x: int
    y: int = 2
    notes: dict[str, str] = made(factory=dict)


@record
class Place(Point):
    """One that has more."""

    name: str = ""


@record(kw_only=False)
class Word:
    """One that is written without names."""

    text: str
    _: KW_ONLY
    bold: bool = False


@record(frozen=False)
class Count:
    """One that changes."""

    value: int = 0


def test_its_values_are_given_by_name() -> None:
    assert Point(x=1) == Point(x=1, y=2, notes={})
    assert Point(x=1) != Point(x=2)
    assert Place(x=1, name="a") != Point(x=1)
    assert repr(Point(x=1)) == "Point(x=1, y=2, notes={})"
    assert Word("a", bold=True).bold
    assert names(Place) == ("x", "y", "notes", "name")


def test_what_is_made_is_made_for_each() -> None:
    one, other = Point(x=1), Point(x=1)
    one.notes["a"] = "b"
    assert other.notes == {}


@pytest.mark.parametrize("wrong", [{}, {"x": 1, "z": 2}])
def test_wrong_values_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="Point"):
        Point(**wrong)


def test_positions() -> None:
    make: Any = Word
    with pytest.raises(TypeError, match="1 values"):
        make("a", True)
    with pytest.raises(TypeError, match="two values"):
        make("a", text="b")


def test_it_is_frozen_unless_it_is_not() -> None:
    point: Any = Point(x=1)
    with pytest.raises(AttributeError, match="frozen"):
        point.x = 2
    with pytest.raises(AttributeError, match="frozen"):
        del point.x
    count = Count()
    count.value += 1
    assert count.value == 1
    assert len({Word("a"), Word("a")}) == 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(count)


def test_it_is_a_dataclass_to_the_library_and_to_pydantic() -> None:
    place = Place(x=1, name="here")
    kind: object = Place
    assert dataclasses.is_dataclass(kind)
    assert [field.name for field in dataclasses.fields(Place)] == ["x", "y", "notes", "name"]
    assert dataclasses.asdict(place) == {"x": 1, "y": 2, "notes": {}, "name": "here"}
    assert dataclasses.replace(place, y=3) == replace(place, y=3) == Place(x=1, y=3, name="here")
    adapter = TypeAdapter(Place)
    assert adapter.validate_python({"x": "4"}) == Place(x=4)
    assert adapter.dump_python(place) == dataclasses.asdict(place)
    assert adapter.json_schema()["required"] == ["x"]
    with pytest.raises(ValidationError):
        adapter.validate_python({"y": 1})


def test_it_is_copied_and_pickled() -> None:
    place = Place(x=1)
    assert copy.deepcopy(place) == pickle.loads(pickle.dumps(place)) == place
