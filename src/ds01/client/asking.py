"""Asking ds01d over its socket: a request, and its answer as a value of ``ds01.wire`` or as an error in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from ds01.client.answers import encoded, read, read_all, refusal
from ds01.client.http import BadAnswerError, Request, Response, Sent, send, target
from ds01.domain.errors import DAEMON_DOWN, NOT_ALLOWED, Ds01Error

ANSWER_SECONDS = 30.0
RESTART_SECONDS = 0.5

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")
    R = TypeVar("R")


class Asking:
    """Whoever asks the ds01d at ``socket``. Opens nothing before something is asked."""

    def __init__(self, socket: str) -> None:
        self.socket = socket
        self._ahead: dict[str, Sent] = {}
        """What was asked before its answer is wanted, by its target."""

    def forget_ahead(self) -> None:
        """Nobody will read what was asked ahead."""
        for sent in self._ahead.values():
            sent.close()
        self._ahead.clear()

    def _ask_ahead(self, path: str, **query: object) -> None:
        """Ask for what is read in a moment, so that ds01d answers meanwhile. What fails is asked again then."""
        asked = Request(method="GET", target=target(path, **query))
        try:
            self._ahead[asked.target] = Sent(self.socket, asked, ANSWER_SECONDS)
        except OSError:
            return

    def _get(self, kind: type[T], path: str, *, patience: float = ANSWER_SECONDS, **query: object) -> T:
        return read(kind, self._body(Request(method="GET", target=target(path, **query)), patience))

    def _list(self, kind: type[T], path: str, **query: object) -> tuple[T, ...]:
        return read_all(kind, self._body(Request(method="GET", target=target(path, **query)), ANSWER_SECONDS))

    def _do(
        self, kind: type[T], method: str, where: str, body: object = None, *, patience: float = ANSWER_SECONDS
    ) -> T:
        sent = Request(method=method, target=where, body=encoded(body) if body is not None else None)
        return read(kind, self._body(sent, patience))

    def _lines(self, kind: type[T], request: Request) -> Iterator[T]:
        return self._read(kind, lambda: self._answered(request, None))

    def _begun(self, kind: type[T], request: Request) -> Iterator[T]:
        """The lines of what is asked now, whenever they are read."""
        sent = self._told(lambda: Sent(self.socket, request, None), None)
        return self._read(kind, lambda: _accepted(sent.answer()))

    def _read(self, kind: type[T], asking: Callable[[], Response]) -> Iterator[T]:
        response = self._told(asking, None)
        try:
            for line in response.lines():
                yield read(kind, line)
        except (OSError, BadAnswerError) as failure:
            raise self._down(failure) from failure

    def _body(self, request: Request, patience: float) -> bytes:
        """The whole answer: an end in the middle of it is as bad as none."""
        return self._told(lambda: self._answered(request, patience).read(), patience)

    def _answered(self, request: Request, patience: float | None) -> Response:
        return _accepted(self._send(request, patience))

    def _told(self, asking: Callable[[], R], patience: float | None) -> R:
        """Whatever goes wrong on the way, in words."""
        try:
            return asking()
        except TimeoutError as failure:
            raise Ds01Error(
                DAEMON_DOWN, f"ds01d did not answer within {patience:.0f} seconds.",
                reason="It may be busy, or waiting for the Docker engine.", hint="ds01 doctor",
            ) from failure  # fmt: skip
        except PermissionError as failure:
            raise Ds01Error(NOT_ALLOWED, f"You may not open {self.socket}.", hint="Ask your admin.") from failure
        except (OSError, BadAnswerError) as failure:
            raise self._down(failure) from failure

    def _send(self, request: Request, patience: float | None) -> Response:
        """Send; a read is sent again once, because a ds01d that restarts is back in a moment."""
        ahead = self._ahead.pop(request.target, None)
        try:
            return send(self.socket, request, patience) if ahead is None else ahead.answer()
        except (TimeoutError, PermissionError):
            raise
        except (OSError, BadAnswerError):
            if request.method != "GET":
                raise
            time.sleep(RESTART_SECONDS)
            return send(self.socket, request, patience)

    def _down(self, failure: Exception) -> Ds01Error:
        if isinstance(failure, FileNotFoundError | ConnectionRefusedError):
            reason = f"Nothing listens on {self.socket}. Containers and shells go on without it."
        else:
            reason = f"The connection to {self.socket} ended early ({failure}). It may be restarting."
        return Ds01Error(
            DAEMON_DOWN, "ds01d does not answer.", reason=reason,
            hint="Try again in a moment; if it stays so, the admin can start it with: sudo systemctl start ds01d",
        )  # fmt: skip


def _accepted(response: Response) -> Response:
    if response.status >= 400:
        raise refusal(response)
    return response
