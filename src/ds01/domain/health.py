"""How often a container's health is looked at. Every look is a program the engine starts: each millisecond it would do
little else, for as long as the container runs.
"""

from __future__ import annotations

from ds01.domain.record import record

OFTEN_SECONDS = 5
OFTEN_NS = OFTEN_SECONDS * 10**9
"""No more often than this."""

STARTING_API = (1, 44)
"""The API that knows ``StartInterval``. Spoken to in an older one the engine forgets what was said of it, and takes the
image's."""

NO_START_NS = 1_000_000
"""The shortest start the engine takes: after it ``StartInterval`` counts no more."""


@record
class Health:
    """What an image says of it, in nanoseconds, 0 where it says nothing: how often, and how often in the beginning."""

    interval_ns: int = 0
    starting_ns: int = 0


UNSAID = Health()


def slowed(image: Health, api: tuple[int, int] = STARTING_API) -> dict[str, int]:
    """The engine's fields that put right what the image wants too often. All others it takes from the image."""
    found = {"Interval": OFTEN_NS} if 0 < image.interval_ns < OFTEN_NS else {}
    if 0 < image.starting_ns < OFTEN_NS:
        found |= {"StartInterval": OFTEN_NS} if api >= STARTING_API else {"StartPeriod": NO_START_NS}
    return found
