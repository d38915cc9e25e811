"""``POST /build?version=2`` with the context as its body: BuildKit builds from an archive, without a session.

The archive passes as for the engine's own builder, and BuildKit is told to build from a Dockerfile of ours in it, under
a name nobody could guess: the one that was judged, as in a build over a session. What has no session has no secrets, no
keys and nobody to write files for.

BuildKit looks at the first kilobyte, and takes for the Dockerfile itself what does not begin like an archive: one that
begins with a note longer than that, say. So the first entry is ours as well.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

from ds01.domain.dockerpolicy.buildkit import KitPlan, judge_archive
from ds01.domain.dockerpolicy.context import END, Context, dockerfile_in, dockerfiles
from ds01.domain.dockerpolicy.render import missing
from ds01.domain.dockerpolicy.tarhead import entry
from ds01.domain.dockerpolicy.unpacked import Unpacked
from ds01.gateway import flow
from ds01.gateway.body import Piece
from ds01.gateway.buildlog import kit_line
from ds01.gateway.call import Call
from ds01.gateway.entries import TAR, entries, last_entries, unpacked
from ds01.gateway.handlers.buildkit import judged, target
from ds01.gateway.handlers.containers import view
from ds01.gateway.tickets import granted
from ds01.gateway.upstream import Ask
from ds01.wire.door import DoorBuildGrant


async def build(call: Call) -> None:
    """The whole of a build."""
    kit = judge_archive(call.query)
    call.changes += kit.plan.changes
    uid, sessions = call.user.uid, call.gate.sessions
    with (
        call.gate.counts.building(uid), sessions.building(call.user, kit.build_id),
        call.gate.unpackings.taking(uid) as take,
    ):  # fmt: skip
        async with granted(call, kit.plan.refs, kit.plan.memory_bytes, buildkit=True) as (grant, settle):
            await _built(call, kit, grant, settle, unpacked("The context", None, take))


async def _built(
    call: Call, kit: KitPlan, grant: DoorBuildGrant, settle: Callable[[], Awaitable[None]], plain: Unpacked
) -> None:
    name = f".ds01.{secrets.token_hex(16)}"
    context = Context(wanted=dockerfiles(kit.plan.dockerfile))
    passed, first = entries(plain, context), [entry(name, b"")]

    def through(piece: Piece) -> Iterator[Piece]:
        while first:
            yield first.pop()
        yield from passed(piece)

    async def end() -> Sequence[Piece]:
        last = last_entries(plain, context)
        content = dockerfile_in(context, kit.plan.dockerfile)
        if content is None:
            raise missing(kit.plan.dockerfile)
        text = await judged(call, kit.plan.arguments, grant.images, content)
        return [*last, entry(name, text), END]

    ask = Ask(method="POST", target=target(call, kit, grant, name), stream=True, content_type=TAR)
    line = partial(kit_line, plain=view(call).text)
    await flow.upload(call, ask, through, end, line, settle)
