"""``images/get``: images as an archive (``docker save``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ds01.domain.dockerpolicy.context import END
from ds01.domain.dockerpolicy.saving import lists, reader
from ds01.domain.dockerpolicy.tags import looked_up
from ds01.domain.dockerpolicy.verdict import RefusedError, absent, malformed, not_allowed
from ds01.domain.image import repository, with_tag
from ds01.domain.image_access import is_id
from ds01.domain.own_images import is_stored
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.call import Call
from ds01.gateway.entries import reading
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.lookup import find
from ds01.gateway.upstream import Ask

SAVED = 50
"""How many images are saved at once."""


async def save_one(call: Call) -> None:
    """One of them, by its name in the path."""
    await _save(call, [call.names["image"]])


async def save(call: Call) -> None:
    """Several at once."""
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

    query = {**call.query.values, "names": list(chosen)}
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
