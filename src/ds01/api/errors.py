"""Every answer that is no success has one shape (``wire.errors``), whatever went wrong.

A mistake of ours is logged with an id and a trace; the user gets a sentence with that id and never the trace.
"""

from __future__ import annotations

import json
import logging
import secrets
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ds01.domain.errors import BAD_REQUEST, INTERNAL, NO_ROUTE, Ds01Error, Problem
from ds01.wire.codec import plain
from ds01.wire.errors import ErrorBody, show

_log = logging.getLogger(__name__)

RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {"model": ErrorBody, "description": "What went wrong, why, and what to type next"}
}


def install(app: FastAPI) -> None:
    """Give the application its one error shape."""
    app.add_exception_handler(Ds01Error, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Unexpected)


class _Ascii(JSONResponse):
    """JSON that holds whatever a user wrote, also half a surrogate pair, which no UTF-8 can."""

    def render(self, content: object) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def response(problem: Problem) -> JSONResponse:
    """A problem as an answer."""
    return _Ascii(plain(show(problem)), status_code=problem.kind.status)


def unexpected(error: BaseException) -> Problem:
    """Log a mistake of ours, and say it without its insides."""
    number = secrets.token_hex(4)
    _log.error("unexpected error", exc_info=error, extra={"id": number})
    return Problem(
        kind=INTERNAL,
        message="Something went wrong inside DS01; nothing you did caused it.",
        reason=f"It is in the log of ds01d under the number {number}.",
        hint="ds01 doctor",
        details={"id": number},
    )


class Unexpected:
    """The last line: whatever no handler knew becomes a sentence, unless an answer has begun already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            problem = unexpected(error)
            if begun:
                raise
            await response(problem)(scope, receive, send)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Ds01Error):
        raise error
    return response(error.problem)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body")
    return response(
        Problem(
            kind=BAD_REQUEST,
            message=f"The request cannot be read: {where or 'body'}: {first['msg']}.",
            reason="ds01 and ds01d may be of different versions.",
            hint="ds01 --version",
        )
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    """An address or method there is none for."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        message = f"The API has no {request.method} {request.url.path}."
        return response(Problem(kind=NO_ROUTE, message=message, reason="ds01 and ds01d may be of different versions."))
    return response(Problem(kind=BAD_REQUEST, message=str(error.detail)))
