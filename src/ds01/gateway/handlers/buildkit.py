"""``POST /build?version=2``: BuildKit builds, and reads a Dockerfile that was judged on its way through the session."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ds01.domain.dockerpolicy import dockerfile
from ds01.domain.dockerpolicy.buildkit import KitPlan, judge_buildkit, no_session, parameters
from ds01.domain.dockerpolicy.growth import Bases
from ds01.domain.dockerpolicy.render import render_whole
from ds01.domain.dockerpolicy.tags import looked_up
from ds01.domain.dockerpolicy.verdict import AbsentError, RefusedError, not_allowed
from ds01.domain.image import repository
from ds01.gateway import aside, flow
from ds01.gateway.buildlog import kit_line
from ds01.gateway.call import Call
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.lookup import engine_image
from ds01.gateway.handlers.pull import obtained
from ds01.gateway.sessions import Session
from ds01.gateway.tickets import granted
from ds01.gateway.upstream import Ask
from ds01.wire.door import DoorBuildGrant


async def build(call: Call) -> None:
    """The whole of a build."""
    await call.nothing()
    wanted = call.query.get("session")
    if not wanted:
        raise no_session()
    session = await call.gate.sessions.of(call.user, wanted)
    with session.ended_by_refusal():
        await _build(call, session, judge_buildkit(call.query))


async def _build(call: Call, session: Session, kit: KitPlan) -> None:
    call.changes += kit.plan.changes
    images: dict[str, str] = {}

    async def rewrite(content: bytes) -> bytes:
        try:
            return await judged(call, kit.plan.arguments, images, content)
        except RefusedError as error:
            call.denied(error)
            raise

    with (
        call.gate.counts.building(call.user.uid),
        call.gate.sessions.building(call.user, kit.build_id),
        session.judged_by(rewrite),
    ):
        async with granted(call, kit.plan.refs, kit.plan.memory_bytes, buildkit=True) as (grant, settle):
            images |= grant.images
            ask = Ask(method="POST", target=target(call, kit, grant, kit.plan.dockerfile))
            await flow.stream(call, ask, partial(kit_line, plain=view(call).text), settle)


def target(call: Call, kit: KitPlan, grant: DoorBuildGrant, path: str) -> str:
    """What the engine is asked for: to build from the Dockerfile of this path."""
    network = "none" if kit.plan.offline else "default"
    account = call.user.account.replace(":", "-")
    given = parameters(kit, dockerfile=path, owner=grant.labels, step_host=grant.step_host, account=account,
                       network=network, names=grant.names)  # fmt: skip
    return call.target("/build", given)


async def judged(call: Call, arguments: Mapping[str, str], images: Mapping[str, str], content: bytes) -> bytes:
    """The Dockerfile as the engine gets it. ``images``: what it may be made from, as ds01d granted."""
    text = content.decode("utf-8", "replace")
    instructions = await aside.judged(call.owner, len(text), dockerfile.read, text, arguments, buildkit=True)
    dockerfile.check_platforms(instructions, call.gate.facts.platform)
    bases = Bases(arguments)
    names = {ref: await image_name(call, ref, images, bases) for ref in dockerfile.images(instructions)}
    await aside.judged(call.owner, len(text), bases.check, instructions)
    return render_whole(instructions, names).encode()


async def image_name(call: Call, ref: str, images: Mapping[str, str], bases: Bases) -> str:
    """The name by which BuildKit finds exactly the image that is judged here. What is fetched now has a digest."""
    name = images.get(looked_up(ref)) or await _fetched(call, ref)
    found = await engine_image(call, name)
    if found is None:
        raise unusable(ref)
    bases.add(found.get("Config") or {})
    return name


async def _fetched(call: Call, ref: str) -> str:
    try:
        found, stored = await obtained(call, ref)
    except AbsentError as error:
        raise unusable(ref) from error
    name = stored or looked_up(ref)
    if "@" in name:
        return name
    digest = next((each for each in found.get("RepoDigests") or () if repository(each) == repository(name)), "")
    if not digest:
        raise unusable(ref)
    return f"{name}@{digest.partition('@')[2]}"


def unusable(ref: str) -> RefusedError:
    """An image that is not there for this user, or not under this name."""
    return not_allowed(
        "build.from", f"building from {ref}, which is neither yours nor shared,",
        "Use one of: docker images; or get it first: docker pull.",
    )  # fmt: skip


async def cancel(call: Call) -> None:
    """``build/cancel``: one's own."""
    await call.nothing()
    wanted = call.query.get("id")
    if call.gate.sessions.builds(call.user, wanted):
        await call.pass_whole(Ask(method="POST", target=call.target("/build/cancel", {"id": [wanted]})))
    else:
        await call.answer(200)
