"""Asks ``python -m ds01.daemon.limits_file`` about a limits file: server code is another program, never in ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TypeVar

from ds01.domain.errors import INTERNAL, Ds01Error
from ds01.wire.codec import parse
from ds01.wire.errors import ErrorBody, error

T = TypeVar("T")


def ask(kind: type[T], *words: str, told: str = "") -> T:
    """What it says, as ``kind``, told this on its stdin. Raises the Ds01Error it printed."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-m", "ds01.daemon.limits_file", *words],
        input=told,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    try:
        said = json.loads(ran.stdout)
        if ran.returncode:
            raise error(parse(ErrorBody, said).error)
        return parse(kind, said)
    except ValueError as failure:
        last = ran.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise Ds01Error(
            INTERNAL, "The limits file could not be read by DS01's own program.", reason=last[0], hint="ds01 doctor"
        ) from failure
