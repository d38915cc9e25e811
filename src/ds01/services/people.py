"""What to call people: the login of a uid, from the ledger first, because it remembers accounts that are gone."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from ds01.domain.people import Uid
from ds01.ports.directory import Directory
from ds01.ports.ledger import Books

Names = Callable[[int], str]


def names(books: Books, directory: Directory | None = None) -> Names:
    """A function from uid to login, asked once for each; a uid nobody knows is shown as the number."""

    @cache
    def name(uid: int) -> str:
        known = books.account(Uid(uid))
        if known is not None and known.login:
            return known.login
        user = directory.by_uid(Uid(uid)) if directory is not None else None
        return user.login if user is not None else str(uid)

    return name
