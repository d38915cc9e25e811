"""Builders of one's own: buildx would run BuildKit in a privileged container. The server's does the same work."""

from __future__ import annotations

import re

from ds01.domain.dockerpolicy.verdict import not_allowed

_IMAGE = re.compile(r"(?:docker\.io/)?moby/buildkit[:@].*")
_CONTAINER = re.compile(r"/?buildx_buildkit_.*")
_ADVICE = "Use the server's: docker buildx use default."


def check_builder_image(ref: str) -> None:
    """Refuse to fetch what such a builder runs. Raises RefusedError."""
    if _IMAGE.fullmatch(ref):
        raise not_allowed("build.builder", "a builder in a container", _ADVICE)


def check_builder_container(name: str) -> None:
    """Refuse to make one, by the name that buildx gives it. Raises RefusedError."""
    if _CONTAINER.fullmatch(name):
        raise not_allowed("build.builder", "a builder in a container", _ADVICE)
