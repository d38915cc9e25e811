"""The log: one JSON object a line on standard output, ours and the libraries' alike."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Sequence
from typing import Any

from ds01.lean import without

with without("rich"):  # it would be loaded to draw tracebacks in colour, which a log has no use for
    import structlog

_SHARED: Sequence[Any] = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_QUIET = ("uvicorn.access", "uvicorn.error", "alembic", "aiodocker", "asyncio")


def configure(level: int = logging.INFO) -> None:
    """Send everything to standard output as JSON."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
