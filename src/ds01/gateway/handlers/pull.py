"""``POST /images/create``: a pull from a registry, or files from the client as an image.

A pull is streamed line by line. The sizes in it are counted as they become known, and what has no room even so is
broken off before it is there. They are those of compressed layers, so a pull may end past the limit: unpacked sizes
are known when the image is there, and then it stays, and nothing more comes. So it is with the images of a repository
that is pulled with all its tags: they are counted as they come. A client that hangs up ends its pull.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ds01.domain.dockerpolicy.builders import check_builder_image
from ds01.domain.dockerpolicy.registries import (
    check_pulled_platform,
    check_registry,
    credentials,
    credentials_for,
    header,
    is_open,
    registry_of,
    secret,
)
from ds01.domain.dockerpolicy.strictjson import dump
from ds01.domain.dockerpolicy.tags import joined, looked_up, repository
from ds01.domain.dockerpolicy.verdict import AbsentError, Change, RefusedError, malformed
from ds01.domain.image import EVERY_TAG
from ds01.gateway import flow
from ds01.gateway.call import Call, error_text
from ds01.gateway.entries import too_large
from ds01.gateway.handlers.importing import import_
from ds01.gateway.handlers.lookup import find
from ds01.gateway.handlers.writing import Written
from ds01.gateway.ongoing import while_there
from ds01.gateway.upstream import Ask
from ds01.wire.door import DoorWrite, Writing

_DIGEST = "Digest: "
_DONE = ("Status: Downloaded newer image", "Status: Image is up to date")


async def create(call: Call) -> None:
    """Either, by the parameter that says from where."""
    image, source = call.query.get("fromImage"), call.query.get("fromSrc")
    if bool(image) == bool(source):
        raise malformed("pull.source", "Either fromImage or fromSrc says where the image comes from")
    await (pull(call, image) if image else import_(call, source))


async def pull(call: Call, image: str) -> None:
    """From a registry."""
    await call.nothing()
    tag = call.query.get("tag")
    whole = not tag and ":" not in image.rpartition("/")[2] and "@" not in image
    ref = f"{repository(image)}{EVERY_TAG}" if whole else joined(image, tag)
    check_builder_image(ref)
    check_registry(registry_of(ref), call.user.registries)
    check_pulled_platform(call.query.get("platform") or "", call.gate.facts.platform)
    auth = credentials(call.head.headers.get("x-registry-auth", ""))
    values = {**_source(ref), **_kept(call, "platform")}
    ask = Ask(method="POST", target=call.target("/images/create", values), headers=header(auth))
    wanted = DoorWrite(uid=call.user.uid, what=Writing.PULL, refs=(ref,), private=secret(auth))
    with call.gate.counts.pulling(call.user.uid):
        async with await Written.begin(call, wanted) as written:
            await flow.stream(call, ask, PullProgress(written).line, written.settle)


def _kept(call: Call, *names: str) -> dict[str, list[str]]:
    return {name: list(call.query.values[name]) for name in names if name in call.query.values}


class PullProgress:
    """Reads the lines of one pull."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self._sizes: dict[str, int] = {}
        self._came = set[str]()
        """The digests of images that are there now, and were not hers before."""

    def line(self, line: bytes) -> bytes:
        """A line as it passes: nothing in it is anybody else's."""
        try:
            found = json.loads(line)
        except ValueError:
            return b""
        if isinstance(found, dict):
            self._read(found)
        return line + b"\n"

    def _count(self, layer: str, progress: Mapping[str, Any]) -> None:
        """The layers that come, compressed, as large as they say they are or as they have become."""
        sizes = (value for name in ("total", "current") if isinstance(value := progress.get(name), int))
        self._sizes[layer] = max(0, self._sizes.get(layer, 0), *sizes)
        left = self._written.grant.left_bytes
        if left is not None and sum(self._sizes.values()) > left:
            self._break_off(too_large("The image", left), "there is no room for it")

    def _count_image(self, digest: str) -> None:
        """One more is there; that a tag of it comes after another makes it no other image."""
        left = self._written.grant.left_images
        self._came |= {digest} - {*self._written.grant.has}
        if left is not None and len(self._came) > left:
            self._break_off(_too_many(left), "the repository has more images than may come")

    def _break_off(self, error: RefusedError, why: str) -> None:
        self._written.call.denied(error)
        self._written.call.changes.append(Change(rule=error.rule, text=f"broken off: {why}"))
        raise flow.LastLine(dump({"errorDetail": {"message": error.message}, "error": error.message}) + b"\r\n")

    def _read(self, found: Mapping[str, Any]) -> None:
        status, progress = found.get("status"), found.get("progressDetail")
        if isinstance(progress, Mapping) and status == "Downloading":
            self._count(str(found.get("id")), progress)
        if isinstance(status, str) and status.startswith(_DIGEST):
            self._count_image(status.removeprefix(_DIGEST))
        if isinstance(status, str) and status.startswith(_DONE):
            self._written.done = True


async def obtain(call: Call, ref: str) -> dict[str, Any]:
    """An image to build from: one the user may see, or else the registry's. Raises AbsentError."""
    return (await obtained(call, ref))[0]


async def obtained(call: Call, ref: str) -> tuple[dict[str, Any], str]:
    """The same, with the engine's name that is meant: empty when an id is."""
    try:
        return await find(call, ref)
    except AbsentError:
        name = looked_up(ref)
        if not name or not is_open(registry_of(name), call.user.registries):
            raise
    auth = credentials_for(call.head.headers.get("x-registry-config", ""), registry_of(name))
    wanted = DoorWrite(uid=call.user.uid, what=Writing.PULL, refs=(name,), private=secret(auth))
    with call.gate.counts.pulling(call.user.uid):
        async with await Written.begin(call, wanted) as written:
            ask = Ask(method="POST", target=call.target("/images/create", _source(name)), headers=header(auth))
            await while_there(call.client.gone, _fetched(call, ask, PullProgress(written)))
    return await find(call, name)


def _source(ref: str) -> dict[str, list[str]]:
    name, _, which = ref.partition("@") if "@" in ref else ref.rpartition(":")
    return {"fromImage": [name]} if ref.endswith(EVERY_TAG) else {"fromImage": [name], "tag": [which]}


async def _fetched(call: Call, ask: Ask, progress: PullProgress) -> None:
    """A pull whose progress nobody sees. Raises RefusedError with the registry's reason."""
    exchange = await call.gate.engine.open(ask)
    try:
        head = await exchange.answered(None)
        if head.status >= 400:
            raise _failed(error_text(await exchange.whole()))
        async for line in flow.lines(exchange):
            said = json.loads(progress.line(line) or b"{}")
            if "errorDetail" in said:
                raise _failed(str(said.get("error")))
    except flow.LastLine as last:
        raise _failed(str(json.loads(last.line)["error"])) from last
    finally:
        exchange.close()


def _failed(reason: str) -> RefusedError:
    return RefusedError("build.from", f"The image to build from cannot be pulled: {reason}", status=404)


def _too_many(left: int) -> RefusedError:
    return RefusedError(
        "image.quota", f"The repository has more images than the {left} that you may still have: the others were not "
        "pulled", "Pull the tags you need, or make room: docker image prune -a.", status=409,
    )  # fmt: skip
