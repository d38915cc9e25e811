"""``containers/json`` for one user, row by row: a row that the engine tells in the same words as before, and that its
user knows by the same names, is neither read nor written again. Where all of them are, the list is that of before.

Two hundred containers are a third of a megabyte of JSON, and who looks at a list looks at it often. Whose a row is, is
looked up every time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from ds01.domain.dockerpolicy.names import NameFilter
from ds01.gateway import shownjson
from ds01.gateway.show import View, linked
from ds01.gateway.things import Found
from ds01.gateway.upstream import parsed
from ds01.wire.door import DoorContainer

KEPT_BYTES, ROW_BYTES = 16 * 1024 * 1024, 64 * 1024
"""When there would be more than that, all are read again; a row that is larger always is."""

_FIRST, _NEXT, _LAST = b'[{"Id":"', b'},{"Id":"', b"}]"
_ID = 64


class _Row(NamedTuple):
    """A row in the engine's words and in its user's; ``container`` is what it was written from."""

    told: bytes
    container: DoorContainer
    name: str
    shown: bytes


class _Whole(NamedTuple):
    """A list of nothing but rows that are kept, and where containers stood when it was told last."""

    told: bytes
    rows: tuple[_Row, ...]
    shown: bytes
    stand: int


@dataclass(kw_only=True)
class _Mine:
    """The rows of one user by the ids in them, and where volumes and networks stood when they were written; the list
    that was told last.
    """

    stand: int
    rows: dict[bytes, _Row] = field(default_factory=dict)
    whole: _Whole | None = None

    @property
    def size(self) -> int:
        """Bytes that are kept."""
        return sum(map(_size, self.rows.values())) + _size(self.whole)

    def clear(self) -> None:
        """Keep nothing of it."""
        self.rows.clear()
        self.whole = None


class ContainerList:
    """The rows that were written last."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, bool], _Mine] = {}
        self.size = 0
        """Bytes that are kept."""

    def shown(self, view: View, data: bytes, names: NameFilter, most: int | None = None) -> bytes:
        """The engine's list as the user of ``view`` knows it, without rows whose names do not fit; the first ``most``
        of it, None: all.
        """
        mine, every = self._of(view), not names and most is None
        before = mine.whole
        if every and before is not None and before.told == data and _stands(view, before):
            mine.whole = before._replace(stand=view.container_stand)
            return before.shown
        try:
            parts = _split(data)
            rows = list(islice(self._written(view, mine.rows, parts, names), most))
        except ValueError:
            rows = [shownjson.write(row) for row in view.rows(parsed(data)) if names.one_of(_names(row))]
            return _list(rows[:most])
        shown = _list(rows)
        if every:
            self._keep_whole(mine, data, parts, shown, view.container_stand)
        return shown

    def _written(
        self, view: View, mine: dict[bytes, _Row], parts: list[bytes], names: NameFilter
    ) -> Iterator[bytes]:  # fmt: skip
        owned, every = view.owned, not names
        for told in parts:
            row = mine.get(told[:_ID])
            if row is None or row.told != told or owned(row.container.id) is not row.container:
                called, shown = self._read(view, mine, told)
                if called and (every or names.one_of(called)):
                    yield shown
            elif every or names.matches(row.name):
                yield row.shown

    def _of(self, view: View) -> _Mine:
        """What is kept of hers. Where a volume or a network has another name now, that is nothing."""
        mine = self._kept.setdefault((view.account, view.admin), _Mine(stand=view.stand))
        if mine.stand != view.stand:
            self.size -= mine.size
            mine.clear()
            mine.stand = view.stand
        return mine

    def _read(self, view: View, mine: dict[bytes, _Row], told: bytes) -> tuple[list[str], bytes]:
        """A row that is told for the first time, or otherwise than before: its names and how she sees it; no name when
        it is not hers. Raises ValueError when it is no object.
        """
        found = shownjson.load(b'{"Id":"%b}' % told)
        if not isinstance(found, dict):
            raise ValueError("a row is no object")
        alone, container = not linked(found), view.owned(str(found.get("Id")))
        row = view.row(found)
        if row is None:
            return [], b""
        shown, names = shownjson.write(row), _names(row)
        if container is not None and alone:
            self._keep(mine, _Row(told, container, names[0], shown))
        return names, shown

    def _keep(self, mine: dict[bytes, _Row], row: _Row) -> None:
        size, key = _size(row), row.told[:_ID]
        if size > ROW_BYTES:
            return
        if self.size + size > KEPT_BYTES:
            self._let_go()
        before = mine.get(key)
        self.size += size if before is None else size - _size(before)
        mine[key] = row

    def _keep_whole(self, mine: _Mine, data: bytes, parts: list[bytes], shown: bytes, stand: int) -> None:
        """This list, if all its rows are kept, and there is room for it."""
        rows = tuple(row for told in parts if (row := mine.rows.get(told[:_ID])) is not None and row.told == told)
        whole = _Whole(data, rows, shown, stand) if len(rows) == len(parts) else None
        size = self.size - _size(mine.whole) + _size(whole)
        if size <= KEPT_BYTES:
            mine.whole, self.size = whole, size

    def _let_go(self) -> None:
        for each in self._kept.values():
            each.clear()
        self.size = 0


def _size(kept: _Row | _Whole | None) -> int:
    return len(kept.told) + len(kept.shown) if kept is not None else 0


def _stands(view: View, before: _Whole) -> bool:
    """Whether its containers are hers and called as they were when the rows were written."""
    owned = view.owned
    return before.stand == view.container_stand or all(owned(row.container.id) is row.container for row in before.rows)


def _list(rows: list[bytes]) -> bytes:
    return b"[" + b",".join(rows) + b"]\n"


def _split(data: bytes) -> list[bytes]:
    """The rows of a list, each from its id's first character to before its closing brace.

    Between two strings these bytes can only be where one object ends and the next begins: in a string each quote has a
    backslash before it. And where every part is an object, the list has exactly these. Raises ValueError when it does
    not look like such a list.
    """
    text = data.rstrip()
    if not text.startswith(_FIRST) or not text.endswith(_LAST):
        raise ValueError("no list of rows")
    return text[len(_FIRST) : -len(_LAST)].split(_NEXT)


def _names(row: Found) -> list[str]:
    return [name.removeprefix("/") for name in row["Names"]]
