"""What to call people: the login of a uid, from the ledger first, because it remembers accounts that are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType

from ds01.domain.people import Uid
from ds01.ports.directory import Directory
from ds01.ports.ledger import Books, Ledger

Names = Callable[[int], str]


def names(books: Books, strangers: Mapping[int, str] = MappingProxyType({})) -> Names:
    """A function from uid to login, asked once for each; a uid nobody knows is shown as the number. ``strangers`` are
    logins of people the ledger never saw.
    """

    @cache
    def name(uid: int) -> str:
        known = books.account(Uid(uid))
        if known is not None and known.login:
            return known.login
        return strangers.get(uid, str(uid))

    return name


async def strangers(ledger: Ledger, directory: Directory, among: Callable[[Books], Iterable[int]]) -> dict[int, str]:
    """What the directory calls those of these people whom the ledger never saw. It may take its time, so it is asked
    before a transaction and never in one.
    """

    def unknown(books: Books) -> list[Uid]:
        accounts = {Uid(uid): books.account(Uid(uid)) for uid in among(books)}
        return [uid for uid, account in accounts.items() if account is None or not account.login]

    asked = await ledger.read(unknown)
    if not asked:
        return {}
    found = await asyncio.to_thread(lambda: [directory.by_uid(uid) for uid in asked])
    return {user.uid: user.login for user in found if user is not None}
