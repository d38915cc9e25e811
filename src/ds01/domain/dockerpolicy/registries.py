"""Registries: which ones the engine may talk to for a user, and with whose password.

The engine stands where users do not: it reaches addresses of the machine room. So it talks to the registries of the
limits file for them, and to nothing else. A password passes to the engine and is written down nowhere.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ds01.domain.dockerpolicy import shape, strictjson
from ds01.domain.dockerpolicy.platform import check_platform
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import RefusedError, malformed, not_allowed
from ds01.domain.own_images import begins_with_registry

DEFAULT = "docker.io"
AUTH_BYTES = 16 * 1024
_DEFAULTS = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_AUTH = shape.names("username", "password", "auth", "email", "serveraddress", "identitytoken", "registrytoken")
_SECRETS = ("username", "password", "auth", "identitytoken", "registrytoken")


def registry_of(name: str) -> str:
    """The registry a repository or a reference is in, as the engine reads it."""
    if not begins_with_registry(name):
        return DEFAULT
    return _known_as(name.partition("/")[0])


def full_name(ref: str) -> str:
    """A short repository or reference with the registry it is in, and with what is between them for short."""
    if begins_with_registry(ref):
        return ref
    return f"{DEFAULT}/{ref}" if "/" in ref else f"{DEFAULT}/library/{ref}"


def check_registry(host: str, allowed: Iterable[str]) -> None:
    """Raises RefusedError when the engine may not talk to this registry for a user."""
    known = _known(allowed)
    if host not in known:
        instead = f"Registries here: {', '.join(sorted(known))}." if known else "No registry is open to users here."
        raise not_allowed("registry.unknown", f"the registry {host[:100]}", instead)


def is_open(host: str, allowed: Iterable[str]) -> bool:
    """Whether the engine may talk to this registry for a user."""
    return host in _known(allowed)


def _known(allowed: Iterable[str]) -> set[str]:
    return {_known_as(each) for each in allowed}


def _known_as(host: str) -> str:
    return DEFAULT if host in _DEFAULTS else host


def address_of(text: str) -> str:
    """The registry in the server address of a login: a host, or a URL."""
    if not text:
        return DEFAULT
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
    except ValueError as error:
        raise _unreadable() from error
    if parts.scheme not in ("", "http", "https") or "@" in parts.netloc or not parts.netloc:
        raise _unreadable()
    return _known_as(parts.netloc.lower())


def _unreadable() -> RefusedError:
    return malformed("registry.address", "The registry's address cannot be read", "Write its host name.")


def searched(term: str) -> str:
    """The registry a search is asked of: a term may begin with one."""
    return registry_of(term if "/" in term else f"{DEFAULT}/{term}")


def login(body: Mapping[str, Json]) -> dict[str, Json]:
    """A login, written anew."""
    found = shape.struct("", dict(body), _AUTH)
    return {name: shape.text(name, value, multiline=True) for name, value in found.values.items() if value}


def credentials(header: str) -> dict[str, Json]:
    """What ``X-Registry-Auth`` says; nothing when it cannot be read, as the engine has it."""
    return login(_decoded(header))


def credentials_for(header: str, registry: str) -> dict[str, Json]:
    """What ``X-Registry-Config`` of a build says about one registry. An address that cannot be read is none of them."""
    for address, found in _decoded(header).items():
        if isinstance(found, dict) and _is_of(address, registry):
            return login(found)
    return {}


def _is_of(address: str, registry: str) -> bool:
    try:
        return address_of(address) == registry
    except RefusedError:
        return False


def _decoded(header: str) -> dict[str, Json]:
    if len(header) > AUTH_BYTES:
        raise RefusedError("registry.auth", "The passwords for registries are too long", status=431)
    text = header.strip().replace("-", "+").replace("_", "/")
    try:
        found = strictjson.parse(base64.b64decode(text + "=" * (-len(text) % 4), validate=True)) if text else None
    except (binascii.Error, RefusedError):
        return {}
    return found if isinstance(found, dict) else {}


def secret(found: Mapping[str, Json]) -> bool:
    """Whether there is a password in it: what is pulled with one is not for everybody."""
    return any(found.get(name) for name in _SECRETS)


def header(found: Mapping[str, Json]) -> dict[str, str]:
    """The header for the engine."""
    return {"X-Registry-Auth": base64.urlsafe_b64encode(strictjson.dump(dict(found))).decode("ascii")}


def check_pulled_platform(value: str, platform: str) -> None:
    """What is pulled is everybody's by its name, and so would another machine's variant be. Raises RefusedError."""
    check_platform("pull.platform", "pulling for", value, platform)
