"""What a BuildKit build may be made from: rules that BuildKit itself keeps, whoever asks it for a source.

From Engine 24 on a build can carry a policy for its sources. Ours: nothing, but files of the client's, and the images
that are the user's own or shared, each by its name. The last rule that matches decides.
"""

from __future__ import annotations

from collections.abc import Iterable

from ds01.domain.dockerpolicy.protobuf import Field, of, render

OLDEST = (24,)
"""The first engine whose BuildKit keeps such a policy."""

_ALLOW, _DENY, _WILDCARD, _EXACT = 0, 1, 0, 1
_RULES, _VERSION = 2, 1
_DEFAULT, _LIBRARY = "docker.io", "library"


def full_name(ref: str) -> str:
    """A short reference as BuildKit writes it: with its registry."""
    first, slash, _ = ref.partition("/")
    if not slash:
        return f"{_DEFAULT}/{_LIBRARY}/{ref}"
    if "." in first or ":" in first or first == "localhost":
        return ref
    return f"{_DEFAULT}/{ref}"


def policy(refs: Iterable[str]) -> bytes:
    """The policy for whoever may build from these images."""
    names = sorted({full_name(ref) for ref in refs})
    rules = [
        _rule(_DENY, "*", _WILDCARD),
        _rule(_ALLOW, "local://*", _WILDCARD),
        *(_rule(_ALLOW, f"docker-image://{name}", _EXACT) for name in names),
    ]
    return render([of(_VERSION, 1), *rules])


def _rule(action: int, identifier: str, match: int) -> Field:
    selector = render([of(1, identifier), *([of(2, match)] if match else [])])
    return of(_RULES, render([*([of(1, action)] if action else []), of(2, selector)]))
