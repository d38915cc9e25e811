"""Images as archives: imported, saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ds01.domain.dockerpolicy.commit import judge_changes
from ds01.domain.dockerpolicy.context import END, Context
from ds01.domain.dockerpolicy.saving import lists, reader
from ds01.domain.dockerpolicy.tags import joined, looked_up
from ds01.domain.dockerpolicy.unpacked import Unpacked
from ds01.domain.dockerpolicy.verdict import RefusedError, absent, malformed, not_allowed
from ds01.domain.image import repository, with_tag
from ds01.domain.image_access import is_id
from ds01.domain.own_images import is_stored
from ds01.domain.quantity import show_size
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.call import Call
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.lookup import find
from ds01.gateway.handlers.writing import Written
from ds01.gateway.shownjson import load_object
from ds01.gateway.upstream import Ask
from ds01.gateway.zstd import zstd
from ds01.wire.door import DoorWrite, Writing

SAVED = 50
PADDING = 1024 * 1024
"""Bytes behind the end of an archive: far more than fill a record of tar."""

SLICE, STEPS = 64 * 1024, 256
"""After how many bytes of an archive it is looked how many of its headers were read, and how many are enough."""

TAR = "application/x-tar"


def unpacked(what: str, left_bytes: int | None, take: Callable[[int], None]) -> Unpacked:
    """A reader of an archive that may be compressed, may be so large, and ``take``s the memory that it needs."""
    return Unpacked(left_bytes, too_large(what, left_bytes), zstd, take)


def reading(archive: Context) -> Callable[[Piece], Iterator[Piece]]:
    """What passes on of an archive that is plain. While it has many small entries, others get their turn."""
    rested = 0

    def through(data: Piece) -> Iterator[Piece]:
        nonlocal rested
        view = memoryview(data)
        for at in range(0, len(view), SLICE):
            yield from archive.feed(view[at : at + SLICE])
            if archive.steps - rested >= STEPS:
                rested = archive.steps
                yield flow.BREATH

    return through


def entries(plain: Unpacked, archive: Context) -> Callable[[Piece], Iterator[Piece]]:
    """What passes on of an archive that may be compressed. Behind its end no more is unpacked than pads it, and while
    much is of which nothing passes, others get their turn.
    """
    read, behind = reading(archive), 0

    def through(piece: Piece) -> Iterator[Piece]:
        nonlocal behind
        for part in () if plain.left_off else plain.feed(piece):
            behind += len(part) if archive.ended else 0
            if behind >= PADDING:
                plain.left_off = True
                return
            yield from read(part) if part else (flow.BREATH,)

    return through


def last_entries(plain: Unpacked, archive: Context) -> list[Piece]:
    """The same for the end of what came. Raises RefusedError when it came too early."""
    last = [] if plain.left_off else [part for piece in plain.finish() for part in archive.feed(piece)]
    archive.finish()
    return last


def too_large(what: str, left_bytes: int | None) -> RefusedError:
    """It does not fit any more."""
    return RefusedError(
        "disk.quota", f"{what} is larger than the {show_size(left_bytes)} that is left of your disk space",
        "Make room: docker image prune -a. What uses it: ds01 status.", status=507,
    )  # fmt: skip


async def import_(call: Call, source: str) -> None:
    """``images/create?fromSrc=-``: files from the client. From an address the engine would fetch them itself."""
    if source != "-":
        raise not_allowed("import.source", "importing from an address", "Fetch it yourself: curl … | docker import -.")
    repo = call.query.get("repo")
    refs = (joined(repo, call.query.get("tag")),) if repo else ()
    ask = DoorWrite(uid=call.user.uid, what=Writing.IMPORT, refs=refs)
    changes = list(call.query.values.get("changes", ()))
    judge_changes(changes, {})
    with call.gate.moves.loading(call.user.uid), call.gate.unpackings.taking(call.user.uid) as take:
        await _imported(call, ask, changes, take)


async def _imported(call: Call, ask: DoorWrite, changes: list[str], take: Callable[[int], None]) -> None:
    async with await Written.begin(call, ask) as written:
        plain = unpacked("The archive", written.grant.left_bytes, take)
        query = {
            "fromSrc": ["-"],
            "changes": judge_changes(changes, written.grant.labels),
            **{name: list(call.query.values[name]) for name in ("message", "platform") if name in call.query.values},
            **written.parts,
        }

        async def end() -> Iterable[Piece]:
            return list(plain.finish())

        def line(found: bytes) -> bytes:
            status = (load_object(found) or {}).get("status")
            if isinstance(status, str) and is_id(status):
                written.done = True
                written.images.append(status)
            return found + b"\n"

        target = call.target("/images/create", query)
        sent = Ask(method="POST", target=target, stream=True, content_type=TAR)
        await flow.upload(call, sent, plain.feed, end, line, written.settle)


async def save_one(call: Call) -> None:
    """``images/{name}/get``."""
    await _save(call, [call.names["image"]])


async def save(call: Call) -> None:
    """``images/get``: several at once."""
    wanted = [name for text in call.query.values.get("names", ()) for name in text.split(",") if name]
    if not 0 < len(wanted) <= SAVED:
        raise malformed("save.names", f"1 to {SAVED} images can be saved at once")
    await _save(call, wanted)


async def _save(call: Call, wanted: list[str]) -> None:
    """Names the user may use only: of a repository without a tag, those of its tags.

    The engine looks them up itself, so that the archive has them. What they meant is compared when it has, before a
    byte of it is passed: meanwhile a name may have become somebody else's.
    """
    await call.nothing()
    chosen: dict[str, _Chosen] = {}
    for text in wanted:
        chosen |= {each.engine: each for each in await _chosen(call, text)}

    async def sure() -> None:
        for each in chosen.values():
            await _check_same(call, each)

    query = {"names": list(chosen)}
    if "platform" in call.query.values:
        query["platform"] = list(call.query.values["platform"])
    ask = Ask(method="GET", target=call.target("/images/get", query))
    if call.user.admin or not any(map(is_stored, chosen)):
        await flow.stream(call, ask, sure=sure)
        return
    archive, shown = reader(), view(call)

    def end() -> Iterator[Piece]:
        archive.finish()
        yield from lists(archive, shown.text, shown.called)
        yield END

    await flow.through(call, ask, reading(archive), end, sure)


class _Chosen(NamedTuple):
    """What is saved: as the user calls it, as the engine does, and the image it means."""

    text: str
    engine: str
    image: str


async def _check_same(call: Call, chosen: _Chosen) -> None:
    if chosen.engine == chosen.image:
        return
    image, stored = await find(call, chosen.text)
    if (stored, str(image["Id"])) != (chosen.engine, chosen.image):
        raise not_allowed(
            "save.moved", f"saving {chosen.text}, which means another image since this moment", "Try again."
        )


async def _chosen(call: Call, text: str) -> list[_Chosen]:
    tagless = ":" not in text.rpartition("/")[2] and "@" not in text
    name = looked_up(text)
    if tagless and name:
        repo = repository(name)
        seen = call.gate.registry.images(call.user)
        every = {view(call).called(ref) for image in seen for ref in image.refs if "@" not in ref}
        found = []
        for ref in sorted(ref for ref in every if repository(ref) == repo):
            try:
                image, stored = await find(call, ref)
            except RefusedError:
                continue
            found.append(_Chosen(ref, stored, str(image["Id"])))
        if found:
            return found
    try:
        image, stored = await find(call, text)
    except RefusedError as error:
        if error.status == 404:
            raise absent("image", with_tag(text) if not is_id(text) else text) from error
        raise
    id_ = str(image["Id"])
    return [_Chosen(text, stored if stored and "@" not in stored else id_, id_)]
