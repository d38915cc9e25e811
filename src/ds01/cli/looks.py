"""What a form looks at before it takes an answer: whether on this server it can be what is meant.

On the command line it is the command that finds out, when it comes to it. Each raises ValueError, or Ds01Error, with a
sentence.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime


def public_key(text: str) -> None:
    """The public key of a laptop: the line, or a file here that has it."""
    from ds01.cli import laptop_key

    laptop_key.given(text)


def somebody(text: str) -> None:
    """Another login of this server, or ``group:NAME``."""
    from ds01.projects import share

    share.somebody(text)


def present(text: str) -> None:
    """A file that is there, or ``-``."""
    if text != "-" and not os.path.exists(text):
        raise ValueError(f"There is no file {text}")


def place(text: str) -> None:
    """Where a file or a folder is to be written: what it goes into is there."""
    folder = os.path.dirname(os.path.abspath(text))
    if not os.path.isdir(folder):
        raise ValueError(f"There is no folder {folder}")


def when(text: str) -> None:
    """A time of a booking; ds01d reads it again, whose clock counts."""
    from ds01.domain.bookings import when as times

    now = datetime.now().astimezone()
    times.moment(text, now, now.tzinfo or UTC)
