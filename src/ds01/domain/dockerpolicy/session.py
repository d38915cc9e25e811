"""``POST /session``: what a client offers BuildKit, by name; and what BuildKit may ask of it.

The engine calls the client back over this connection: for files of the context, for secrets, for what to log in with.
The engine keeps files of a context under a key the client chooses, to send less the next time; whoever gave another
user's key would be handed her files. So the key begins with whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ds01.domain.dockerpolicy.verdict import malformed

SYNC = "/moby.filesync.v1.FileSync/DiffCopy"
METHODS = frozenset(
    {
        SYNC,
        "/moby.filesync.v1.FileSend/DiffCopy",
        "/moby.filesync.v1.Auth/Credentials",
        "/moby.filesync.v1.Auth/FetchToken",
        "/moby.filesync.v1.Auth/GetTokenAuthority",
        "/moby.filesync.v1.Auth/VerifyTokenAuthority",
        "/moby.buildkit.secrets.v1.Secrets/GetSecret",
        "/moby.sshforward.v1.SSH/CheckAgent",
        "/moby.sshforward.v1.SSH/ForwardAgent",
        "/moby.upload.v1.Upload/Pull",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/Watch",
    }
)
"""What the engine may ask of a client. Without ``TarStream`` it asks for files in the way that is read here."""

ID = r"[A-Za-z0-9]{16,64}"
_PREFIX = "x-docker-expose-session-"
_NAME = re.compile(r"[ -~]{0,256}")
_KEY = re.compile(r"[A-Za-z0-9:_+/=.-]{0,256}")


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A session as the engine gets to know it."""

    id: str
    name: str
    shared_key: str
    methods: tuple[str, ...]

    def headers(self) -> list[tuple[str, str]]:
        """The headers for the engine."""
        return [
            ("X-Docker-Expose-Session-Uuid", self.id),
            ("X-Docker-Expose-Session-Name", self.name),
            ("X-Docker-Expose-Session-Sharedkey", self.shared_key),
            *(("X-Docker-Expose-Session-Grpc-Method", method) for method in self.methods),
        ]


def judge_session(headers: Mapping[str, str], account: str) -> Offer:
    """Read a session's headers (their names in lower case). Raises RefusedError."""
    found = {name.removeprefix(_PREFIX): value for name, value in headers.items() if name.startswith(_PREFIX)}
    session = found.get("uuid", "")
    if not re.fullmatch(ID, session):
        raise malformed("session.id", "The session's id is malformed")
    name, key = found.get("name", ""), found.get("sharedkey", "")
    if not _NAME.fullmatch(name) or not _KEY.fullmatch(key):
        raise malformed("session.headers", "The session's name or key is malformed")
    offered = {method.strip() for method in found.get("grpc-method", "").split(",")}
    return Offer(id=session, name=name, shared_key=f"{account}:{key}", methods=tuple(sorted(offered & METHODS)))
