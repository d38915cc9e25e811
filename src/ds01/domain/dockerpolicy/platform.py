"""For which machine something is asked: this server makes and runs what is for its own, and says so of any other."""

from __future__ import annotations

import re

from ds01.domain.dockerpolicy import strictjson
from ds01.domain.dockerpolicy.verdict import malformed, not_allowed

_PLATFORM = re.compile(r"[a-z0-9]+(?:/[a-z0-9._-]+){0,2}")
_KEYS = frozenset({"os", "architecture", "variant", "os.version"})
_TEXT = re.compile(r"[A-Za-z0-9._+-]{0,64}")
_ALSO = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
"""Other names of architectures, which clients may write."""


def check_platform(rule: str, doing: str, value: str, platform: str) -> None:
    """``value`` is ``os[/arch[/variant]]`` as it was asked for, empty where it was not. Raises RefusedError when it is
    not the server's own.
    """
    if value and not _same(value.lower(), platform):
        raise not_allowed(rule, f"{doing} {value[:40]}", f"This server runs {platform}.")


def variant(name: str, value: str) -> str:
    """A platform of an image that has several, as clients write one to choose it: an object in JSON. As the engine
    reads it. Raises RefusedError.
    """
    found = strictjson.parse_object(value.encode())
    features = found.pop("os.features", None) or []
    texts = [*found.values(), *(features if isinstance(features, list) else [None])]
    if not (found.keys() <= _KEYS and all(isinstance(text, str) and _TEXT.fullmatch(text) for text in texts)):
        raise malformed("query.value", f"{name} cannot be read",
                        'Write it like {"os":"linux","architecture":"amd64","variant":""}.')  # fmt: skip
    return strictjson.dump({**found, **({"os.features": features} if features else {})}).decode("ascii")


def _same(value: str, platform: str) -> bool:
    parts = [_ALSO.get(part, part) for part in value.split("/")]
    own = platform.split("/")
    return _PLATFORM.fullmatch(value) is not None and parts[:2] == own[: len(parts)]
