"""``ds01 container cp``: files into and out of a running container, as its user."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.progress import Line
from ds01.cli.shell import docker, running
from ds01.client.copy import fetch, put
from ds01.client.unpack import Copied
from ds01.domain.errors import BAD_REQUEST, Ds01Error


def run(call: Call, *, source: str, target: str) -> int:
    """Copy, in the direction the two paths say."""
    outward, inward = _split(source), _split(target)
    if (outward is None) == (inward is None):
        raise Ds01Error(
            BAD_REQUEST, "Exactly one of the two paths must be in a container.",
            reason="A path in a container is written NAME:PATH.", hint=f"ds01 cp {source} NAME:/tmp/",
        )  # fmt: skip
    name, path = outward or inward or ("", "")
    call.wanted = name
    container = running(call.client.container(name))
    if call.talk.dry_run:
        call.talk.say(f"Would copy {source} to {target}.")
        return 0
    call.standing = "What was copied so far stays."
    line = Line(call.talk)
    line.show(f"Copying {source}")
    copy, ends = (fetch, (path, target)) if outward else (put, (source, path))
    try:
        copied = copy(docker(call), container.id, *ends, lambda so_far: line.show(_told(source, so_far)))
    finally:
        line.clear()
    _tell(call, copied, target)
    return 0


def _split(path: str) -> tuple[str, str] | None:
    """NAME and PATH of a path in a container; None for a path here (``./a:b`` is one, too)."""
    name, colon, rest = path.partition(":")
    if not colon or not name or "/" in name or name in (".", ".."):
        return None
    return name, rest or "."


def _told(source: str, copied: Copied) -> str:
    return f"Copying {source}: {show.count(copied.files, 'file')}, {show.size(copied.size_bytes)}"


def _tell(call: Call, copied: Copied, target: str) -> None:
    call.talk.done(f"{show.count(copied.files, 'file')}, {show.size(copied.size_bytes)}, copied to {target}.")
    if copied.left_out:
        call.talk.warn(
            f"Left out: {show.names(copied.left_out)}. Sockets, devices and links that lead outside are not copied."
        )
