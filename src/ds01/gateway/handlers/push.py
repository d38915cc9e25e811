"""Talking to registries for a user: pushes and logins. Her password passes, and is written down nowhere."""

from __future__ import annotations

import json
from urllib.parse import quote

from ds01.domain.dockerpolicy.registries import (
    DEFAULT,
    address_of,
    check_registry,
    credentials,
    header,
    login,
    registry_of,
)
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.tags import joined, repository
from ds01.domain.dockerpolicy.verdict import AbsentError, RefusedError, not_allowed
from ds01.domain.image import repository as repository_of
from ds01.domain.own_images import is_stored
from ds01.gateway import flow
from ds01.gateway.call import Call
from ds01.gateway.handlers.lookup import find, look_up
from ds01.gateway.upstream import Ask


async def push(call: Call) -> None:
    """``images/{name}/push``: a name of one's own, or all of a repository when all of it is."""
    await _ignored(call)
    asked, tag = call.names["image"], call.query.get("tag")
    whole = not tag and ":" not in asked.rpartition("/")[2]
    ref = "" if whole else joined(asked, tag)
    repo = repository(asked) if whole else ref.rpartition(":")[0]
    own = call.gate.registry.own_images(call.user)
    if ref in own or (whole and any(repo == repository_of(each) for each in own)):
        raise _own(ref or repo)
    check_registry(registry_of(repo), call.user.registries)
    refs = await _all_of(call, repo) if whole else [ref]
    for each in refs or [f"{repo}:latest"]:
        try:
            found, name = await find(call, each)
        except AbsentError:
            await _not_there(call, repo)
            return
        if is_stored(name):
            raise _own(each)
        call.subject = str(found["Id"])
    headers = header(credentials(call.head.headers.get("x-registry-auth", "")))
    values = {} if whole else {"tag": [ref.rpartition(":")[2]]}
    ask = Ask(method="POST", target=call.target(f"/images/{repo}/push", values), headers=headers)
    with call.gate.moves.pulling(call.user.uid):
        await flow.stream(call, ask, settle=flow.nothing)


def _own(ref: str) -> RefusedError:
    """On this server the name is hers alone; a registry would be asked for another one."""
    return not_allowed(
        "push.own", f"pushing {ref}, which is a name of your own on this server,",
        f"Give it one with its registry: docker tag {ref} REGISTRY/NAME, and push that.",
    )  # fmt: skip


async def _ignored(call: Call) -> None:
    """Clients from before X-Registry-Auth sent the password here. It is not read."""
    data = (await call.body()).strip()
    if data not in (b"", b"{}", b"null"):
        raise RefusedError("push.body", "A push takes its password from X-Registry-Auth", status=400)


async def _all_of(call: Call, repo: str) -> list[str]:
    """All names of a repository. Raises RefusedError when one of them is not for this user."""
    filters = quote(json.dumps({"reference": [repo]}), safe="")
    target = f"{call.target('/images/json')}?filters={filters}"
    head, data = await call.gate.engine.whole(Ask(method="GET", target=target))
    rows = json.loads(data) if head.status == 200 else []
    found = [ref for row in rows for ref in row.get("RepoTags") or () if ref.rpartition(":")[0] == repo]
    for ref in found:
        try:
            await look_up(call, ref)
        except AbsentError as error:
            raise not_allowed("push.all", f"pushing all of {repo}", "Push one tag at a time.") from error
    return found


async def _not_there(call: Call, repo: str) -> None:
    """In the engine's own words."""
    missing = f"An image does not exist locally with the tag: {repo}"
    told: list[Json] = [
        {"status": f"The push refers to repository [{_whole_name(repo)}]"},
        {"errorDetail": {"message": missing}, "error": missing},
    ]
    body = b"".join(dump(line) + b"\r\n" for line in told)
    await call.answer(200, body, {"Content-Type": "application/json"})


def _whole_name(repo: str) -> str:
    if registry_of(repo) != DEFAULT:
        return repo
    return f"{DEFAULT}/{repo}" if "/" in repo else f"{DEFAULT}/library/{repo}"


async def auth(call: Call) -> None:
    """``/auth``: is this password right?"""
    found = login(await call.json())
    check_registry(address_of(str(found.get("serveraddress") or "")), call.user.registries)
    await call.pass_whole(Ask(method="POST", target=call.target("/auth"), body=dump(found)))
