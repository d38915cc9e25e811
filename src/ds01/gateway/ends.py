"""How commands ended: asked of the engine as soon as a command's stream is over, because its client asks that next.

A command that has ended stays as it is, so the answer is the same whenever it was asked for. One that says that the
command still runs is not used: then the engine is asked again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from ds01.domain.dockerpolicy.strictjson import Json
from ds01.gateway.unread import SHORT_ANSWER_BYTES
from ds01.gateway.upstream import Ask, Sent, Upstream, UpstreamError, parsed

KEPT_SECONDS = 1
"""How long an answer that nobody asks for is kept. A long one is not read: the words of a command may be a megabyte."""

Asked = asyncio.Task[dict[str, Json] | None]


class Ends:
    """What was asked about commands that ended a moment ago, by the target of the question. Whose a command is, is
    looked up by whoever uses it.
    """

    def __init__(self) -> None:
        self._asked: dict[str, Asked] = {}

    def question(self, engine: Upstream, target: str) -> Callable[[], None]:
        """What asks how the command ended, written beforehand. Where that cannot be asked, whoever wants to know is
        told.
        """
        ask = Ask(method="GET", target=target)
        return partial(self._ask, engine, ask, ask.wire())

    def _ask(self, engine: Upstream, ask: Ask, wire: bytes) -> None:
        with contextlib.suppress(UpstreamError):
            sent = engine.send(ask, wire)
            asked = self._asked[ask.target] = asyncio.get_running_loop().create_task(_ended(engine, sent))
            asked.add_done_callback(partial(self._answered, ask.target))

    async def take(self, target: str) -> dict[str, Json] | None:
        """The engine's answer, once; None where the engine is to be asked."""
        asked = self._asked.pop(target, None)
        return None if asked is None else await asked

    def _answered(self, target: str, asked: Asked) -> None:
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget, target, asked)

    def _forget(self, target: str, asked: Asked) -> None:
        if self._asked.get(target) is asked:
            del self._asked[target]


async def _ended(engine: Upstream, sent: Sent) -> dict[str, Json] | None:
    """The answer, where it says that the command has ended."""
    with contextlib.suppress(UpstreamError, ConnectionError):
        _, data = await engine.answer(sent, cap=SHORT_ANSWER_BYTES)
        found = parsed(data)
        return found if isinstance(found, dict) and found.get("Running") is False else None
    return None
