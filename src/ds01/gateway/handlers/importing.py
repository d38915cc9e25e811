"""``images/create?fromSrc=-``: the files of an image from the client."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ds01.domain.dockerpolicy.commit import judge_changes
from ds01.domain.dockerpolicy.tags import joined
from ds01.domain.dockerpolicy.verdict import not_allowed
from ds01.domain.image_access import is_id
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.call import Call
from ds01.gateway.entries import TAR, unpacked
from ds01.gateway.handlers.writing import Written
from ds01.gateway.shownjson import load_object
from ds01.gateway.upstream import Ask
from ds01.wire.door import DoorWrite, Writing


async def import_(call: Call, source: str) -> None:
    """From an address the engine would fetch them itself."""
    if source != "-":
        raise not_allowed("import.source", "importing from an address", "Fetch it yourself: curl … | docker import -.")
    repo = call.query.get("repo")
    refs = (joined(repo, call.query.get("tag")),) if repo else ()
    ask = DoorWrite(uid=call.user.uid, what=Writing.IMPORT, refs=refs)
    changes = list(call.query.values.get("changes", ()))
    judge_changes(changes, {})
    with call.gate.counts.loading(call.user.uid), call.gate.unpackings.taking(call.user.uid) as take:
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
