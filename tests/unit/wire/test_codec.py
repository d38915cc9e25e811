"""JSON to the types of the wire and back: what is right comes through as it was, what is wrong is named."""

from __future__ import annotations

import importlib
import json
import pkgutil
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ds01.wire
from ds01.domain.record import names, record
from ds01.wire.codec import parse, plain


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@record
class Leaf:
    size: int
    share: float = 0.0
    colour: Colour = Colour.RED
    at: datetime | None = None


@record
class Base:
    name: str


@record
class Tree(Base):
    leaves: tuple[Leaf, ...] = ()
    counts: dict[str, int] | None = None
    inner: Tree | None = None


LEAVES = st.builds(
    Leaf, size=st.integers(), share=st.floats(allow_nan=False), colour=st.sampled_from(Colour),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
)  # fmt: skip
TREES = st.recursive(
    st.none(),
    lambda inner: st.builds(
        Tree, name=st.text(), leaves=st.lists(LEAVES, max_size=3).map(tuple),
        counts=st.none() | st.dictionaries(st.text(), st.integers(), max_size=3), inner=inner,
    ),
    max_leaves=3,
).filter(bool)  # fmt: skip


@given(TREES)
def test_what_is_written_is_read_as_it_was(tree: Tree) -> None:
    assert parse(Tree, json.loads(json.dumps(plain(tree)))) == tree


def test_an_older_client_reads_a_newer_daemon() -> None:
    assert parse(Leaf, {"size": 1, "taste": "sweet"}) == Leaf(size=1)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ([], "Tree: expected an object"),
        ({}, "Tree: Tree needs 'name'"),
        ({"name": 3}, "Tree.name: expected str, got int"),
        ({"name": "a", "leaves": {}}, "Tree.leaves: expected a list"),
        ({"name": "a", "leaves": [{"size": 1}, {"size": True}]}, "Tree.leaves[1].size: expected int, got bool"),
        ({"name": "a", "leaves": [{"size": 1, "share": "x"}]}, "Tree.leaves[0].share: expected float, got str"),
        ({"name": "a", "leaves": [{}]}, "Tree.leaves[0]: Leaf needs 'size'"),
        ({"name": "a", "leaves": [{"size": 1, "colour": "x"}]}, "Tree.leaves[0].colour: 'x' is not a valid Colour"),
        ({"name": "a", "leaves": [{"size": 1, "at": "soon"}]}, "Tree.leaves[0].at: Invalid isoformat string: 'soon'"),
        ({"name": "a", "leaves": [{"size": 1, "at": 3}]}, "Tree.leaves[0].at: fromisoformat: argument must be str"),
        ({"name": "a", "counts": {"x": 1, "y": None}}, "Tree.counts.y: expected int, got NoneType"),
        ({"name": "a", "inner": {"name": "b", "inner": 1}}, "Tree.inner.inner: expected an object"),
    ],
)
def test_what_is_wrong_is_named(data: object, where: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(Tree, data)
    assert str(caught.value) == where


def wire_types() -> Iterator[type]:
    for found in pkgutil.iter_modules(ds01.wire.__path__):
        module = importlib.import_module(f"ds01.wire.{found.name}")
        yield from (v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__)


@pytest.mark.parametrize("kind", [kind for kind in wire_types() if names(kind)], ids=lambda kind: kind.__name__)
def test_every_type_of_the_wire_can_be_read(kind: type) -> None:
    """Each field's type has a reader: what is given is refused for what it is, and never for what its type is."""
    for name, hint in typing.get_type_hints(kind).items():
        if name in names(kind) and hint is not object:
            with pytest.raises(ValueError, match=rf"^{kind.__name__}\.{name}\b"):
                parse(kind, {name: ...})
