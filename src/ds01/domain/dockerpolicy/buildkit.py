"""``POST /build?version=2``: a build by BuildKit, whose client serves the files over a session, or sends them along.

Its parameters are judged like those of the engine's own builder. What is set here besides: the owner's labels, a host
name by which its steps are known, and a name of her own for caches that are mounted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ds01.domain.dockerpolicy import strictjson
from ds01.domain.dockerpolicy.build import BuildPlan, judge_build
from ds01.domain.dockerpolicy.dockerfile import check_name
from ds01.domain.dockerpolicy.query import Query
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.verdict import Change, RefusedError, malformed, not_allowed

RESERVED = "BUILDKIT_"
HARMLESS = frozenset({"BUILDKIT_INLINE_CACHE", "BUILDKIT_MULTI_PLATFORM", "BUILDKIT_CONTEXT_KEEP_GIT_DIR"})
"""Build arguments by which BuildKit itself is told something, and may be."""

_TO_THE_CLIENT = frozenset({"local", "tar"})


@dataclass(frozen=True, kw_only=True)
class KitPlan:
    """A judged build. ``session`` is empty where the context is the request's body; ``outputs`` are the parameter as it
    goes to the engine, empty for an image.
    """

    plan: BuildPlan
    session: str
    build_id: str
    outputs: str


def is_archive(query: Query) -> bool:
    """Whether the context is the request's body."""
    return not query.get("remote") and not query.get("session")


def judge_buildkit(query: Query) -> KitPlan:
    """The plan of a build over a session. Raises RefusedError."""
    if query.get("remote") != "client-session" or not query.get("session"):
        raise no_session()
    return _judge(query)


def judge_archive(query: Query) -> KitPlan:
    """The plan of a build from an archive: without a session there is nobody who could be handed files. Raises
    RefusedError.
    """
    kit = _judge(query)
    if kit.outputs:
        raise malformed("build.outputs", "A build from an archive makes an image", "Use docker build -o.")
    return kit


def _judge(query: Query) -> KitPlan:
    if query.values.get("extrahosts"):
        raise not_allowed("build.parameters", "extrahosts in a build", "Leave it out.")
    outputs = _outputs(query.get("outputs"))
    if query.get("networkmode") not in ("", "default", "none", "host"):
        raise not_allowed("build.network", "a network of your own in a BuildKit build", "Set DOCKER_BUILDKIT=0.")
    plan = judge_build(Query(values={name: v for name, v in query.values.items() if name != "outputs"}))
    check_name(plan.dockerfile)
    arguments, changes = judge_arguments(plan.arguments)
    plan = replace(plan, arguments=arguments, changes=(*plan.changes, *changes))
    if outputs and plan.refs:
        raise malformed("build.outputs", "A build that is written to your files has no name")
    return KitPlan(plan=plan, session=query.get("session"), build_id=query.get("buildid"), outputs=outputs)


def no_session() -> RefusedError:
    """A context that comes in another way: from an address, or half over a session."""
    return malformed(
        "build.session", "BuildKit's context must come over a session",
        "Build a folder, not an address; or set DOCKER_BUILDKIT=0.",
    )  # fmt: skip


def judge_arguments(arguments: Mapping[str, str]) -> tuple[dict[str, str], list[Change]]:
    """The build's arguments without those that steer BuildKit."""
    kept, changes = {}, []
    for name, value in arguments.items():
        if name.upper().startswith(RESERVED) and name not in HARMLESS:
            changes.append(Change(rule="build.arguments", text=f"{name[:40]} left out: it steers BuildKit itself"))
        else:
            kept[name] = value
    return kept, changes


def _outputs(value: str) -> str:
    """Where the result goes: an image, or files that the client writes itself."""
    found = strictjson.parse(value.encode()) if value else None
    if strictjson.is_zero(found):
        return ""
    if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
        raise malformed("build.outputs", "A build has one output")
    kind, attributes = found[0].get("Type"), found[0].get("Attrs")
    if set(found[0]) > {"Type", "Attrs"} or kind not in _TO_THE_CLIENT or not strictjson.is_zero(attributes):
        raise not_allowed("build.outputs", "this output of a build", "Use type=local or type=tar, or name the image.")
    given: Json = [{"Type": kind, "Attrs": {}}]
    return dump(given).decode()


def parameters(
    kit: KitPlan, *, dockerfile: str, owner: Mapping[str, str], step_host: str, account: str, network: str,
    names: Mapping[str, str],
) -> dict[str, Sequence[str]]:  # fmt: skip
    """The parameters for the engine. ``dockerfile`` is where it finds that; ``names`` are the engine's own of those
    that it has under others.
    """
    plan = kit.plan
    arguments: dict[str, Json] = {**plan.arguments, "BUILDKIT_CACHE_MOUNT_NS": account}
    labels: dict[str, Json] = {**plan.labels, **owner}
    given: dict[str, str] = {
        "version": "2",
        "remote": "client-session" if kit.session else "",
        "session": kit.session,
        "buildid": kit.build_id,
        "dockerfile": dockerfile,
        "target": plan.target,
        "buildargs": dump(arguments).decode(),
        "labels": dump(labels).decode(),
        "extrahosts": f"{step_host}:127.0.0.1",
        "networkmode": network,
        "outputs": kit.outputs,
    }
    return {
        **plan.passed,
        **{key: [value] for key, value in given.items() if value},
        "t": [names.get(ref, ref) for ref in plan.refs],
    }
