"""``POST /commit``: a container's files as an image."""

from __future__ import annotations

from ds01.domain.dockerpolicy.commit import judge_changes, judge_config
from ds01.domain.dockerpolicy.strictjson import dump
from ds01.domain.dockerpolicy.tags import joined
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.gateway.call import Call
from ds01.gateway.handlers.writing import Written
from ds01.gateway.upstream import Ask, parsed_object, text_of
from ds01.wire.door import DoorWrite, Writing

COMMIT_SECONDS = 1800


async def commit(call: Call) -> None:
    """Of a container of one's own, under a name of one's own or none."""
    body = await call.json(needed=False)
    if not call.query.get("container"):
        raise malformed("commit.container", "Which container to commit is not said")
    container = await call.gate.registry.container(call.user, call.query.get("container"))
    call.subject = container.id
    repo = call.query.get("repo")
    refs = (joined(repo, call.query.get("tag")),) if repo else ()
    ask = DoorWrite(uid=call.user.uid, what=Writing.COMMIT, refs=refs, container=container.id)
    async with await Written.begin(call, ask) as written:
        config = judge_config(body, written.grant.labels, call.changes)
        query = {
            "container": [container.id],
            "changes": judge_changes(call.query.values.get("changes", ()), written.grant.labels),
            **{name: list(call.query.values[name]) for name in ("comment", "author", "pause") if call.query.get(name)},
            **written.parts,
        }
        sent = Ask(method="POST", target=call.target("/commit", query), body=dump(config))
        head, answer = await call.gate.engine.whole(sent, COMMIT_SECONDS)
        if head.status == 201:
            written.done = True
            written.images.append(text_of(parsed_object(answer), "Id"))
    await call.pass_answer(head, answer)
