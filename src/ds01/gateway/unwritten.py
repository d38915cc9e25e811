"""What the engine removed and ds01d could not write down: its user hears that it is gone, ds01d sees it by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.held import DoorDownError

_LOG = structlog.get_logger("ds01.gateway.unwritten")


@contextmanager
def seen_later(what: str, subject: str) -> Iterator[None]:
    """Within, ds01d is told what was removed. It may have seen that already, be away, or have a full disk, on which
    nobody could make room otherwise.
    """
    try:
        yield
    except (RefusedError, DoorDownError) as error:
        if not isinstance(error, RefusedError) or error.status != 404:
            _LOG.warning(f"{what}.unwritten", subject=subject, reason=str(error))
