"""How long a create waits in the queue when no GPU is free: as long as whoever wrote the request said, and no longer.

Docker clients have no option for it, so it is said where every client can say something: ``DS01_WAIT=10m`` in the
container's environment, or the label ``ds01.wait=10m``. Where both are, the variable counts: it is closer to the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.quantity import duration, show_duration

VARIABLE = "DS01_WAIT"
LABEL = "ds01.wait"
LONGEST = timedelta(hours=24)
"""A connection that is open longer than a day has been forgotten by somebody."""


def wait_seconds(environment: Sequence[str], labels: Mapping[str, str]) -> int:
    """What was asked for; 0: not to wait. Raises RefusedError."""
    said = dict(entry.partition("=")[::2] for entry in environment).get(VARIABLE) or labels.get(LABEL) or "0"
    if said == "0":
        return 0
    try:
        wait = duration(said)
    except ValueError as error:
        raise malformed("create.wait", f"{VARIABLE}: {error}") from error
    if wait > LONGEST:
        raise malformed("create.wait", f"{VARIABLE}: {said} is longer than {show_duration(LONGEST)}", "Wait less long.")
    return int(wait.total_seconds())
