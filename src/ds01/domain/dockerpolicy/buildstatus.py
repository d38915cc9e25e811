"""What BuildKit tells of a build on its way, with the names of images its user knows.

Only texts that are shown are looked at; whatever else is in a message stays as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ds01.domain.dockerpolicy.protobuf import Field, fields, of, render
from ds01.domain.dockerpolicy.verdict import RefusedError

Plain = Callable[[str], str]
_SHOWN: Mapping[int, frozenset[int]] = {1: frozenset({3, 7}), 2: frozenset({1, 3})}
"""Of a status: its steps (1) with name and error, and what goes on in them (2) with id and name."""

_RESPONSE = 1


def plain_status(data: bytes, plain: Plain) -> bytes:
    """One message of ``Status``."""
    return _read(data, lambda found: [_step(field, plain) for field in found])


def plain_answer(data: bytes, plain: Plain) -> bytes:
    """The answer to ``Solve``: what the exporter says, the image's name among it."""
    return _read(data, lambda found: [_entry(field, plain) for field in found])


def _read(data: bytes, change: Callable[[list[Field]], list[Field]]) -> bytes:
    """A message that cannot be read has nothing in it that a client could show either."""
    try:
        return render(change(fields(data)))
    except RefusedError:
        return data


def _step(field: Field, plain: Plain) -> Field:
    shown = _SHOWN.get(field.number)
    return field if shown is None else _texts(field, shown, plain)


def _entry(field: Field, plain: Plain) -> Field:
    return _texts(field, frozenset({2}), plain) if field.number == _RESPONSE else field


def _texts(field: Field, numbers: frozenset[int], plain: Plain) -> Field:
    inner = [of(each.number, plain(each.text)) if each.number in numbers else each for each in fields(field.data)]
    return of(field.number, render(inner))
