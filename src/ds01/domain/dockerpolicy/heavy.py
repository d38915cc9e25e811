"""Whether an image may stay that came from elsewhere: an archive, a registry, a container, or a build of BuildKit's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ds01.domain.dockerpolicy.dockerfile import INSTRUCTIONS
from ds01.domain.dockerpolicy.growth import Growing
from ds01.domain.dockerpolicy.unjudged import look
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.dockerpolicy.weight import CONFIG, LABELS, VARIABLE, size
from ds01.domain.quantity import show_size


def too_heavy(config: Mapping[str, Any]) -> str:
    """Why an image with this configuration may not stay: what it has too much of. ``""`` when it may."""
    if size(config.get("Labels") or {}) > LABELS:
        return f"its labels are longer than {show_size(LABELS)} together"
    env: Sequence[str] = config.get("Env") or ()
    if any(len(entry) > VARIABLE for entry in env):
        return f"one of its variables is longer than {VARIABLE:,} characters"
    if size(config) > CONFIG:
        return f"its configuration is longer than {show_size(CONFIG)}"
    return "its ONBUILD instructions are too many, or what they set grows without end" if _grows(config) else ""


def _grows(config: Mapping[str, Any]) -> bool:
    """Whether a build from it would grow by what the image itself brings along."""
    triggers: Sequence[str] = config.get("OnBuild") or ()
    if sum(trigger.count("\n") + 1 for trigger in triggers) > INSTRUCTIONS:
        return True
    growing = Growing({})
    growing.on(config)
    try:
        for trigger in triggers:
            look(trigger, growing)
    except RefusedError:
        return True
    return False
