"""Where ds01d listens, unless told otherwise."""

from __future__ import annotations

import os

SOCKET = "/run/ds01/ds01d.sock"


def socket_path() -> str:
    """``$DS01_SOCKET``, or where the installed ds01d listens."""
    return os.environ.get("DS01_SOCKET") or SOCKET
