"""An admin or an instructor acted on somebody's container: its owner hears of it, by every channel she has.

What was done stands and is in its story by then, so a word that cannot be written down takes nothing back.
"""

from __future__ import annotations

import logging

from ds01.domain import on_behalf as words
from ds01.domain.container import Container
from ds01.domain.errors import Ds01Error
from ds01.domain.lifecycle.case import Level, Rule
from ds01.services.caller import Caller
from ds01.services.enforce.deliver import Message, give
from ds01.services.world import World

_log = logging.getLogger(__name__)


async def tell_owner(world: World, caller: Caller, container: Container, did: str) -> None:
    """Tell whose container it is that ``did`` (``stopped``) happened to it. Nothing when she did it herself."""
    if not caller.for_another:
        return
    message = Message(
        about=container, rule=Rule.ADMIN, level=Level.NOTICE,
        title=words.title(caller.actor_login, caller.office, did, container.name),
        text=words.text(caller.actor_login, container.name, caller.reason),
    )  # fmt: skip
    try:
        await give(world, caller.user, message)
    except Ds01Error as error:
        _log.warning("an owner was not told", extra={"of": container.name, "why": error.problem.message})
