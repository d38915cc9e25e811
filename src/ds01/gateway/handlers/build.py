"""``POST /build``: the context passes, the Dockerfile and every parameter are ours.

The engine begins to build when the archive ends. Its end is held back until the Dockerfile was judged and every image
it names was found to be the user's own or shared; those go in by id.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from ds01.domain.dockerpolicy import dockerfile
from ds01.domain.dockerpolicy.build import BuildPlan, judge_build
from ds01.domain.dockerpolicy.buildkit import is_archive
from ds01.domain.dockerpolicy.context import END, IGNORE, Context, dockerfile_in, dockerfiles
from ds01.domain.dockerpolicy.growth import Bases
from ds01.domain.dockerpolicy.platform import check_platform
from ds01.domain.dockerpolicy.render import Rendered, missing, render
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.tarhead import entry
from ds01.domain.dockerpolicy.unpacked import Unpacked
from ds01.domain.dockerpolicy.verdict import AbsentError, RefusedError, malformed
from ds01.domain.ignore import ignore
from ds01.gateway import aside, flow
from ds01.gateway.body import Piece
from ds01.gateway.buildlog import BuildLines
from ds01.gateway.call import Call
from ds01.gateway.entries import TAR, entries, last_entries, unpacked
from ds01.gateway.handlers import buildkit, kit_archive
from ds01.gateway.handlers.containers import view
from ds01.gateway.handlers.lookup import look_up
from ds01.gateway.handlers.networks import resolve_network
from ds01.gateway.handlers.pull import obtain
from ds01.gateway.tickets import granted
from ds01.gateway.upstream import Ask
from ds01.wire.door import DoorBuildGrant

IGNORED_LINES, IGNORED = 1000, 32 * 1024
"""Of a ``.dockerignore``: each line is matched with the Dockerfile's path."""


async def build(call: Call) -> None:
    """The whole of a build."""
    check_platform("build.platform", "building for", call.query.get("platform"), call.gate.facts.platform)
    if call.query.get("version") == "2":
        await (kit_archive if is_archive(call.query) else buildkit).build(call)
        return
    plan = judge_build(call.query)
    call.changes += plan.changes
    uid = call.user.uid
    with call.gate.counts.building(uid), call.gate.unpackings.taking(uid) as take:
        async with granted(call, plan.refs, plan.memory_bytes) as (grant, settle):
            await _built(call, plan, grant, settle, unpacked("The context", None, take))


async def _built(
    call: Call, plan: BuildPlan, grant: DoorBuildGrant, settle: Callable[[], Awaitable[None]], plain: Unpacked
) -> None:
    name = f".ds01.{secrets.token_hex(16)}"
    network = (await resolve_network(call, plan.network)).stored if plan.network else grant.network
    given = _parameters(plan, grant, name, "none" if plan.offline else network)
    cached = plan.cached and not (plan.cached_from and not await _any(call, plan.cached_from))
    if not cached:
        given["nocache"] = ["1"]
    ask = Ask(method="POST", target=call.target("/build", given), stream=True, content_type=TAR)
    context = Context(wanted=frozenset({IGNORE}), late=dockerfiles(plan.dockerfile))
    log = BuildLines(view(call).text)

    async def end() -> Sequence[Piece]:
        last = last_entries(plain, context)
        rendered = await _judged(call, plan, grant, context, cached)
        log.shown = rendered.shown
        ours = [entry(name, rendered.text.encode()), entry(IGNORE, f"{IGNORE}\n{name}\n".encode()), END]
        return [*last, *await _kept(call, context), *ours]

    await flow.upload(call, ask, entries(plain, context), end, log.line, settle)


async def _judged(call: Call, plan: BuildPlan, grant: DoorBuildGrant, context: Context, cached: bool) -> Rendered:
    """The Dockerfile for the engine, with ids for names."""
    content = dockerfile_in(context, plan.dockerfile)
    if content is None:
        raise missing(plan.dockerfile)
    text = content.decode("utf-8", "replace")
    instructions = await aside.judged(call.owner, len(text), dockerfile.read, text, plan.arguments)
    dockerfile.check_platforms(instructions, call.gate.facts.platform)
    bases = Bases(plan.arguments)
    ids = {ref: await _image(call, ref, bases) for ref in dockerfile.images(instructions)}
    await aside.judged(call.owner, len(text), bases.check, instructions)
    if bases.run and cached:
        raise _anybodys(bases.run[0])
    return render(instructions, ids, owner=grant.labels, labels=plan.labels, target=plan.target)


def _anybodys(command: str) -> RefusedError:
    """The label that keeps layers of users apart comes after what a base does first of all. So it is with a base that
    she built: who had it before her, or gave it up since, may have left a layer, and the engine knows not whose.
    """
    return malformed(
        "build.onbuild", f"The image runs ONBUILD {command[:60]!r}, of which this builder would take anybody's layer",
        "Build with --no-cache, or with BuildKit (DOCKER_BUILDKIT=1).",
    )  # fmt: skip


async def _any(call: Call, refs: Sequence[str]) -> bool:
    """Whether one of these images is there for her: from none of them no layer can be taken."""
    for ref in refs:
        with suppress(RefusedError):
            await look_up(call, ref)
            return True
    return False


async def _image(call: Call, ref: str, bases: Bases) -> str:
    try:
        found = await obtain(call, ref)
    except AbsentError as error:
        raise buildkit.unusable(ref) from error
    bases.add(found.get("Config") or {})
    return str(found["Id"])


async def _kept(call: Call, context: Context) -> list[Piece]:
    """Her Dockerfile, unless her list of what stays out has it: of the list the engine itself heeds nothing else, since
    clients leave the rest out.
    """
    text = context.files.get(IGNORE, b"").decode("utf-8", "replace")
    if len(text) > IGNORED or text.count("\n") > IGNORED_LINES:
        raise malformed("build.ignore", f"The {IGNORE} has more than {IGNORED_LINES} lines or {IGNORED} characters",
                        "Name whole folders.")  # fmt: skip
    out = await aside.judged(call.owner, len(text), _left_out, text, list(context.waiting))
    return [piece for path, pieces in context.waiting.items() if path not in out for piece in pieces]


def _left_out(text: str, paths: Sequence[str]) -> set[str]:
    listed = ignore(text)
    return {path for path in paths if listed.ignores(path)}


def _parameters(plan: BuildPlan, grant: DoorBuildGrant, name: str, network: str) -> dict[str, Sequence[str]]:
    arguments: dict[str, Json] = dict(plan.arguments)
    given: dict[str, str] = {
        "dockerfile": name,
        "version": "1",
        "buildargs": dump(arguments).decode(),
        "networkmode": network,
        "cgroupparent": grant.cgroup_parent,
        "memory": str(grant.memory_bytes),
        "memswap": str(grant.memory_bytes + grant.swap_bytes),
        "cpuperiod": str(grant.cpu_period_us),
        "cpuquota": str(grant.cpu_quota_us),
        "shmsize": str(grant.shm_bytes),
    }
    return {
        **plan.passed,
        **{key: [value] for key, value in given.items()},
        "t": [grant.names.get(ref, ref) for ref in plan.refs],
    }
