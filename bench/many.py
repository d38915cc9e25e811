"""The list of a server with 200 containers of one user, through the gateway and straight."""

from __future__ import annotations

from collections.abc import Iterator

from dev.people import person

from bench.gateway import Line, unary
from bench.row import Row
from bench.stage import MANY, crowd


def measure() -> Iterator[Row]:
    """Her own list is everybody's here, so both show the same."""
    lab = crowd()
    ours, theirs = Line(lab.stack.door, lab.ben.person), Line(lab.stack.engine, person("root"))
    yield from unary(f"list of {MANY}", ours, theirs, "/containers/json")
