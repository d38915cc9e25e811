"""The key of the seal on containers' labels: made once, kept in the ledger."""

from __future__ import annotations

import secrets

from ds01.ports.ledger import Books
from ds01.services.world import World

KEY = "seal.key"


async def seal_key(world: World) -> str:
    """The key of this ledger."""
    known: str | None = await world.ledger.read(lambda books: books.note(KEY))
    return known if known is not None else await world.ledger.write(_made)


def _made(books: Books) -> str:
    known = books.note(KEY) or secrets.token_hex(32)
    books.put_note(KEY, known)
    return known
