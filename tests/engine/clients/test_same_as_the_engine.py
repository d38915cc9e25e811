"""Whatever is not refused is answered as the engine answers: the same status, the same words, the same shape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.clients.asked import ASKED, Asked
from tests.engine.clients.both import Both, Side
from tests.engine.gateway.ground import Ground

pytestmark = [pytest.mark.engine, pytest.mark.root]

OTHERWISE: dict[str, tuple[str, ...]] = {
    "who asks for a container that is not there is told that, whatever else is wrong": (
        "/containers/absent/kill?signal=99", "/containers/absent/kill?signal=WINCH",
        "/containers/0123456789ab/kill?signal=99", "/containers/0123456789ab/kill?signal=WINCH",
    ),
    "a network that is not there is said to be so at once, not at the next start": ("/networks/absent/connect",),
    "engines do not agree about the words": (
        "/images/absent/json", "/images/UPPER/json", "/images/absent/get", "/images/create?fromImage=UPPER",
        "/images/{image}/tag?repo=UPPER", "/images/{image}/tag", "/commit?container=dfup&repo=UPPER",
    ),
}  # fmt: skip
"""Why an answer is another one, and whose."""

BODIES: tuple[tuple[str, str], ...] = (
    ("/volumes/create", "Driver"), ("/containers/create", "UPPER"), ("/containers/create", "Healthcheck"),
    ("/containers/create", "MaximumRetryCount"), ("/containers/create", "/absent"),
)  # fmt: skip
"""The same, for what is only in the body: words that differ between engines; checks of health are slowed down and not
refused; and what cannot be mounted is refused in DS01's words.
"""


@pytest.fixture(scope="module")
def both(place: Ground) -> Iterator[Both]:
    found = Both(engine=Side(place=place, user=None), gateway=Side(place=place, user=place.alice))
    for side in (found.engine, found.gateway):
        side.prepare()
    yield found
    for side in (found.engine, found.gateway):
        side.clear()


def expected(request: Asked) -> bool:
    known = any(request.path in paths for paths in OTHERWISE.values())
    return known or any(request.path == path and part in str(request.body) for path, part in BODIES)


def test_f2_what_is_asked_through_the_gateway_is_answered_as_by_the_engine(both: Both) -> None:
    found: list[str] = []
    for request in ASKED:
        differences = both.differences(*request)
        found += [f"{request}: {text}" for text in differences if not expected(request)]
    assert not found, "\n".join(found)
