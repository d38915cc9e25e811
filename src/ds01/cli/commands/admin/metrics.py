"""``ds01 admin metrics``: what ds01d measures, for Prometheus."""

from __future__ import annotations

import os
import tempfile

from ds01.cli.call import Call
from ds01.domain.errors import COPY_FAILED, Ds01Error


def run(call: Call, *, to: str | None) -> int:
    """Print it, or put it in the place of a file in one step."""
    talk = call.talk
    if to is not None and talk.dry_run:
        talk.say(f"Would write the metrics to {to}.")
        return 0
    text = call.client.metrics()
    if to is None:
        talk.data(text.rstrip())
        return 0
    _write(to, text)
    talk.done(f"{to} is written.")
    return 0


def _write(path: str, text: str) -> None:
    """A collector must never read half a file."""
    folder = os.path.dirname(os.path.abspath(path))
    try:
        fd, staged = tempfile.mkstemp(dir=folder, prefix=".ds01-metrics")
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        os.replace(staged, path)
    except OSError as error:
        raise Ds01Error(COPY_FAILED, f"{path} cannot be written.", reason=f"{error.strerror}.") from error
