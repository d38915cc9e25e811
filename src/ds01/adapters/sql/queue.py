"""The queue's part of the books: who waits, and how much everybody had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import IntegrityError

from ds01.adapters.sql import statements, tables
from ds01.adapters.sql.bookings import BookingBooks
from ds01.adapters.sql.hot import lately
from ds01.adapters.sql.prepared import Found
from ds01.domain.errors import NAME_TAKEN, Ds01Error
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.people import Uid
from ds01.domain.queue.plan import Owner
from ds01.domain.queue.request import Request, RequestId
from ds01.domain.queue.usage import Usage


class QueueBooks(BookingBooks):
    """Requests and usage, within a transaction."""

    _in_line: tuple[Mapping[RequestId, Request], tuple[Request, ...]] | None = None
    """The open requests, and the same in their order: sorted once as long as none changes."""

    def request(self, request: RequestId) -> Request | None:
        if found := (self.hot.requests or {}).get(request) or self.hot.ended_requests.get(request):
            return found
        row = self._one(statements.REQUEST, {"id": request})
        return None if row is None else _request(row)

    def open_requests(self, uid: Uid | None = None) -> tuple[Request, ...]:
        waiting = self._waiting()
        if self._in_line is None or self._in_line[0] is not waiting:
            self._in_line = waiting, tuple(sorted(waiting.values(), key=lambda one: (one.submitted_at, one.id)))
        every = self._in_line[1]
        return every if uid is None else tuple(request for request in every if request.uid == uid)

    def put_request(self, request: Request) -> None:
        try:
            self._put(tables.requests, _row(request))
        except IntegrityError as error:
            if "requests.name" not in str(error.orig):
                raise
            raise waits_already(request) from error
        others = dict(self._waiting())
        others.pop(request.id, None)
        if request.state.open:
            self.hot = replace(self.hot, requests={**others, request.id: request})
        else:
            ended = lately(self.hot.ended_requests, request.id, request)
            self.hot = replace(self.hot, requests=others, ended_requests=ended)

    def usage(self) -> dict[Owner, Usage]:
        if self.hot.usage is None:
            found = {
                Owner(row["uid"], row["epoch"]): Usage(seconds=row["seconds"], at=row["at"])
                for row in self._all(_USAGE)
            }
            self.hot = replace(self.hot, usage=found)
        return dict(self.hot.usage or {})

    def put_usage(self, owner: Owner, usage: Usage) -> None:
        self._put(tables.usage, {"uid": owner.uid, "epoch": owner.epoch, "seconds": usage.seconds, "at": usage.at})
        self.hot = replace(self.hot, usage=self.usage() | {owner: usage})

    def _waiting(self) -> Mapping[RequestId, Request]:
        if self.hot.requests is None:
            found = [_request(row) for row in self._all(statements.OPEN_REQUESTS)]
            self.hot = replace(self.hot, requests={request.id: request for request in found})
        return self.hot.requests or {}


_USAGE = statements.USAGE


def _request(row: Found) -> Request:
    values = dict(row)
    ask = GpuAsk(count=values.pop("count"), profile=values.pop("profile"), memory_bytes=values.pop("memory_bytes"))
    return Request(**values, ask=ask)


def _row(request: Request) -> dict[str, Any]:
    values = {key: value for key, value in vars(request).items() if key != "ask"}
    ask = request.ask
    return {**values, "gpus": ask.count, "gpu_profile": ask.profile, "gpu_memory_bytes": ask.memory_bytes}


def waits_already(request: Request) -> Ds01Error:
    """One place in the queue for each name."""
    return Ds01Error(
        NAME_TAKEN, f"'{request.name}' waits for a GPU already.", hint=f"See its turn: ds01 why {request.name}"
    )
