"""How many ports a container publishes: those that are bound and, where all are published, those that are exposed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ds01.domain.dockerpolicy.case import Plan
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.ports import MOST_OF_CONTAINER


def published(plan: Plan, of_image: Iterable[str]) -> int:
    """The number. Raises RefusedError when it is more than a container may publish."""
    named = plan.host.get("PortBindings")
    bound: Mapping[str, object] = named if isinstance(named, dict) else {}
    number = sum(len(each) for each in bound.values() if isinstance(each, list))
    if plan.case.publish_all:
        exposed = {port if "/" in port else f"{port}/tcp" for port in (*plan.case.exposed, *of_image)}
        number += len(exposed - bound.keys())
    check_number(number)
    return number


def check_number(number: int) -> None:
    """Raises RefusedError when these are more than a container may publish."""
    if number > MOST_OF_CONTAINER:
        raise malformed(
            "create.ports.number", f"The container publishes {number} ports, and may publish {MOST_OF_CONTAINER}",
            "Publish those you need, with -p; inside its networks every port is reached without.",
        )  # fmt: skip
