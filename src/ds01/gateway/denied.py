"""A refusal, as its client reads it and as it is written down."""

from __future__ import annotations

import json

from ds01.domain.dockerpolicy.verdict import RefusedError, UnrecordedError
from ds01.gateway.held import UNWRITTEN, DoorDownError, UnreadableError, UnwrittenError
from ds01.gateway.http import head_bytes, status_line
from ds01.gateway.upstream import TooLargeError, UpstreamError
from ds01.wire.door import DoorAudit

AGAIN = "Try again in a moment; if it stays, tell your admin."
RESTART = "Tell your admin: ds01d and the gateway are probably of different versions, and both are to be restarted."


def answer(error: RefusedError, *, keep: bool = False, bare: bool = False) -> bytes:
    """The whole answer: ``keep`` says that the connection may carry another request, ``bare`` leaves out the body."""
    body = message_body(error.message)
    headers = {"Server": "ds01-gateway", "Content-Type": "application/json", "Content-Length": str(len(body))}
    if not keep:
        headers["Connection"] = "close"
    return head_bytes(status_line(error.status), headers) + (b"" if bare else body)


def message_body(message: str) -> bytes:
    """A sentence as Docker clients read it; whatever is in the text is escaped."""
    return json.dumps({"message": message}).encode("ascii") + b"\n"


def away(error: DoorDownError | UpstreamError) -> RefusedError:
    """What is said while ds01d or the engine is away, or says more than can be read."""
    if isinstance(error, TooLargeError):
        return UnrecordedError("engine.large", error.sentence, "Ask for less: use a filter.", status=error.status)
    if isinstance(error, UpstreamError):
        return UnrecordedError("engine.away", error.sentence, AGAIN, status=error.status)
    if isinstance(error, UnwrittenError):
        return UnrecordedError("ds01d.away", UNWRITTEN, "Try again in a moment.", status=503)
    if isinstance(error, UnreadableError):
        return UnrecordedError("ds01d.away", "ds01d's answer cannot be read, so nothing can be granted", RESTART,
                               status=503)  # fmt: skip
    return UnrecordedError("ds01d.away", "ds01d does not answer, so nothing can be granted", AGAIN, status=503)


def mistaken() -> RefusedError:
    """A mistake of ours ends in a refusal, whatever it is."""
    return RefusedError("internal", "DS01 made a mistake with this request", "Tell your admin.", status=500)


def entry(
    error: RefusedError, *, uid: int, login_uid: int | None, method: str, path: str, subject: str,
    outcome: str = "denied",
) -> DoorAudit:  # fmt: skip
    """For the record."""
    return DoorAudit(
        uid=uid, login_uid=login_uid, method=method, path=path, subject=subject, outcome=outcome, rule=error.rule,
        reason=error.what, advice=error.advice,
    )  # fmt: skip
