"""BuildKit's cache over its own API, ``docker buildx du`` and ``prune``: one's own records, and no others.

A prune is written anew: every record that may go is named, and what the client says besides can only narrow that.
"""

from __future__ import annotations

from collections.abc import Collection

from ds01.domain.dockerpolicy import protobuf
from ds01.domain.dockerpolicy.protobuf import Field, of
from ds01.domain.dockerpolicy.query import FILTERS_LENGTH
from ds01.domain.dockerpolicy.verdict import malformed

_RECORD, _ID = 1, 1
_FILTER, _ALL, _KEPT_FOR = 1, 2, 3
_DESCRIPTION = 9
_FILTERS = 16
_SIZES = (4, 5, 6, 7)
"""How much may stay: of everybody's."""


def own(answer: bytes, ids: Collection[str]) -> bytes:
    """The answer to ``DiskUsage`` without what is not among these."""
    found = protobuf.fields(answer)
    return protobuf.render([field for field in found if field.number != _RECORD or _id(field) in ids])


def _id(field: Field) -> str:
    return protobuf.text(protobuf.fields(field.data), _ID)


def is_whole(request: bytes) -> bool:
    """Whether a ``Prune`` means everything that may go."""
    found = protobuf.fields(request)
    narrowed = any(field.number != _ALL and field.value not in (0, b"") for field in found)
    return not narrowed and any(field.number == _ALL and field.value for field in found)


def untold(answer: bytes, ids: Collection[str]) -> bytes:
    """A record that went, without what it was made by when it is among these."""
    found = protobuf.fields(answer)
    hidden = protobuf.text(found, _ID) in ids
    return protobuf.render([field for field in found if not hidden or field.number != _DESCRIPTION])


def prune_of(request: bytes, ids: Collection[str]) -> bytes | None:
    """``Prune`` of these records alone; None when there are none. Raises RefusedError."""
    found = protobuf.fields(request)
    for field in found:
        if field.number in _SIZES and field.value not in (0, b""):
            raise malformed("prune.size", "How much of the build cache stays cannot be said over this way",
                            "Use --filter until=24h, or docker builder prune with --keep-storage.")  # fmt: skip
        if field.number not in (_FILTER, _ALL, _KEPT_FOR, *_SIZES):
            raise malformed("grpc.field", f"Field {field.number} of this message is not served",
                            "Tell your admin: your client is newer than DS01.")  # fmt: skip
    if sum(field.number == _FILTER for field in found) > _FILTERS:
        raise malformed("prune.filters", f"A prune has {_FILTERS} filters at most")
    filters = [field.text for field in found if field.number == _FILTER] or [""]
    if sum(map(len, filters)) > FILTERS_LENGTH:
        raise malformed("prune.filters", f"The filters of a prune have {FILTERS_LENGTH} characters at most")
    named = [of(_FILTER, f"id=={each}{',' if text else ''}{text}") for each in sorted(ids) for text in filters]
    return protobuf.render([*named, *(field for field in found if field.number in (_ALL, _KEPT_FOR))]) if ids else None
