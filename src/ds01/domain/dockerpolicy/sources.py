"""What a BuildKit build may be made from: rules that BuildKit itself keeps, whoever asks it for a source.

From Engine 24 on a build can carry a policy for its sources. Ours: nothing, but files of the client's, and the images
that are the user's own or shared, each by the name she has for it, for which the one is taken that means exactly this
image. The last rule that matches decides.
"""

from __future__ import annotations

from collections.abc import Mapping

from ds01.domain.dockerpolicy.protobuf import Field, of, render
from ds01.domain.dockerpolicy.registries import full_name

OLDEST = (24,)
"""The first engine whose BuildKit keeps such a policy."""

_ALLOW, _DENY, _CONVERT, _WILDCARD, _EXACT = 0, 1, 2, 0, 1
_RULES, _VERSION = 2, 1


def policy(images: Mapping[str, str]) -> bytes:
    """The policy for whoever may build from these images: by the names she has for them, the engine's."""
    names = sorted({full_name(name) for name in images.values()})
    converted = {ref: name for ref, name in images.items() if ref != name}
    rules = [
        _rule(_DENY, "*", _WILDCARD),
        _rule(_ALLOW, "local://*", _WILDCARD),
        *(_rule(_ALLOW, f"docker-image://{name}", _EXACT) for name in names),
        *(_rule(_CONVERT, _image(ref), _WILDCARD, _image(name)) for ref, name in sorted(converted.items())),
    ]
    return render([of(_VERSION, 1), *rules])


def _image(ref: str) -> str:
    return f"docker-image://{full_name(ref)}"


def _rule(action: int, identifier: str, match: int, instead: str = "") -> Field:
    """``instead``: what is taken for it. A name has no wildcards in it, so it matches itself alone either way."""
    selector = render([of(1, identifier), *([of(2, match)] if match else [])])
    update = [of(3, render([of(1, instead)]))] if instead else []
    return of(_RULES, render([*([of(1, action)] if action else []), of(2, selector), *update]))
