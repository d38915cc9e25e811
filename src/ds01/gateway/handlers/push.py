"""Talking to registries for a user: pushes and logins. Her password passes, and is written down nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.domain.dockerpolicy.registries import (
    address_of,
    check_registry,
    credentials,
    full_name,
    header,
    login,
    registry_of,
)
from ds01.domain.dockerpolicy.strictjson import Json, dump
from ds01.domain.dockerpolicy.tags import joined, repository
from ds01.domain.dockerpolicy.verdict import AbsentError, RefusedError, absent, not_allowed
from ds01.domain.image import repository as repository_of
from ds01.domain.own_images import is_stored
from ds01.gateway import flow
from ds01.gateway.call import Call
from ds01.gateway.denied import AGAIN
from ds01.gateway.handlers.lookup import engine_image, find, look_up
from ds01.gateway.things import Found
from ds01.gateway.upstream import Ask, parsed_list

_GOES_TO = b'"The push refers to repository ['


async def push(call: Call) -> None:
    """``images/{name}/push``: a name of one's own, or all of a repository when all of it is."""
    await call.nothing()
    asked, tag = call.names["image"], call.query.get("tag")
    whole = not tag and ":" not in asked.rpartition("/")[2]
    ref = "" if whole else joined(asked, tag)
    repo = repository(asked) if whole else ref.rpartition(":")[0]
    refs = await _all_of(call, repo) if whole else [ref]
    pushed = [await _pushed(call, each) for each in refs]
    check_registry(registry_of(repo), call.user.registries)
    if None in pushed:
        await _not_there(call, repo)
        return
    call.subject = str(pushed[-1])
    first, *others = refs
    progress = PushProgress(call, others)
    with call.gate.counts.pulling(call.user.uid):
        await flow.stream(call, _ask(call, first), progress.line, progress.go_on)


def _ask(call: Call, ref: str) -> Ask:
    repo, _, tag = ref.rpartition(":")
    headers = header(credentials(call.head.headers.get("x-registry-auth", "")))
    query = {"tag": [tag], **{name: values for name, values in call.query.values.items() if name == "platform"}}
    return Ask(method="POST", target=call.target(f"/images/{repo}/push", query), headers=headers)


class PushProgress:
    """A push of one tag after the other, told as the one that it is. Without a tag the engine would push whatever the
    repository has by then, somebody else's too.
    """

    def __init__(self, call: Call, others: Sequence[str]) -> None:
        self._call = call
        self._others = others
        self._failed = False
        self._said = set[bytes]()

    def line(self, line: bytes) -> bytes:
        """A line as it passes; where a push goes to is said once."""
        self._failed = self._failed or b'"errorDetail"' in line
        if _GOES_TO in line:
            if line in self._said:
                return b""
            self._said.add(line)
        return line + b"\n"

    async def go_on(self) -> None:
        """The other tags, each looked up again before it goes. Raises RefusedError when one is not hers any more."""
        for ref in self._others:
            if self._failed:
                return
            if await _pushed(self._call, ref) is None:
                raise absent("image", ref)
            await flow.more(self._call, _ask(self._call, ref), self.line)


async def _pushed(call: Call, ref: str) -> str | None:
    """The image of this name, by id; None when there is none. Raises RefusedError when the name is hers alone."""
    try:
        found, name = await find(call, ref)
    except AbsentError:
        return None
    if is_stored(name) and not await _is_plain_too(call, ref, found):
        raise _own(ref)
    return str(found["Id"])


async def _is_plain_too(call: Call, ref: str, found: Found) -> bool:
    """While somebody pulls a name, and after a pull that brought nothing, its writer's image has both names."""
    plain = await engine_image(call, ref)
    return plain is not None and plain["Id"] == found["Id"]


def _own(ref: str) -> RefusedError:
    """On this server the name is hers alone; a registry would be asked for another one."""
    return not_allowed(
        "push.own", f"pushing {ref}, which is a name of your own on this server,",
        f"Give it one that nobody has here: docker tag {ref} REGISTRY/NAME:TAG, and push that.",
    )  # fmt: skip


async def _all_of(call: Call, repo: str) -> list[str]:
    """All names of a repository, hers alone as well. Raises RefusedError when one of them is not for this user."""
    own = {ref for ref in call.gate.registry.own_images(call.user) if repository_of(ref) == repo}
    ask = Ask(method="GET", target=call.target("/images/json", None, {"reference": [repo]}))
    head, data = await call.gate.engine.whole(ask)
    if head.status != 200:
        raise RefusedError("image.lookup", f"The engine cannot say which tags {repo} has", AGAIN, status=502)
    found = {ref for row in parsed_list(data) for ref in row.get("RepoTags") or () if repository_of(ref) == repo}
    known = []
    for ref in sorted(own | found):
        try:
            await look_up(call, ref)
        except AbsentError as error:
            if ref in found:
                raise not_allowed("push.all", f"pushing all of {repo}", "Push one tag at a time.") from error
        else:
            known.append(ref)
    return known or [f"{repo}:latest"]


async def _not_there(call: Call, repo: str) -> None:
    """In the engine's own words."""
    missing = f"An image does not exist locally with the tag: {repo}"
    told: list[Json] = [
        {"status": f"The push refers to repository [{full_name(repo)}]"},
        {"errorDetail": {"message": missing}, "error": missing},
    ]
    body = b"".join(dump(line) + b"\r\n" for line in told)
    await call.answer(200, body, {"Content-Type": "application/json"})


async def auth(call: Call) -> None:
    """``/auth``: is this password right?"""
    found = login(await call.json())
    check_registry(address_of(str(found.get("serveraddress") or "")), call.user.registries)
    await call.pass_whole(Ask(method="POST", target=call.target("/auth"), body=dump(found)))
