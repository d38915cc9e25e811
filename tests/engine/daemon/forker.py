"""Starts ds01d again and again by forking a process that has loaded everything: a restart in a tenth of a second.

Run as a program: every line on standard input is a JSON list of options; it answers with the pid of a new ds01d.
Its children are real ds01d processes, to be killed like any other.
"""

from __future__ import annotations

import json
import os
import sys

import ds01.adapters.docker.engine
import ds01.adapters.sql.ledger
import ds01.api.document
import ds01.sim.devices
from ds01.daemon.main import main

LOADED = (ds01.adapters.docker.engine, ds01.adapters.sql.ledger, ds01.api.document, ds01.sim.devices)


def serve() -> None:
    """Fork one ds01d per line, when the one before has ended."""
    last = 0
    for line in sys.stdin:
        if last:
            os.waitpid(last, 0)
        last = os.fork()
        if last == 0:
            os.setsid()
            os.close(0)
            os.dup2(2, 1)
            os._exit(main(json.loads(line)))
        print(last, flush=True)


if __name__ == "__main__":
    serve()
