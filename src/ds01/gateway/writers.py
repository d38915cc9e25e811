"""Who is writing names of images right now: what the engine tells of them meanwhile is for her."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ds01.domain.image import covers
from ds01.wire.door import DoorUser


@dataclass(frozen=True, kw_only=True)
class Writer:
    """One writing. ``images`` are the ids that are known so far; ``makes`` says that one is made that nobody knows."""

    uid: int
    refs: Sequence[str]
    images: Sequence[str] = ()
    makes: bool = False


class Writers:
    """All who are writing."""

    def __init__(self) -> None:
        self._writing: list[Writer] = []

    @contextmanager
    def writing(self, writer: Writer) -> Iterator[None]:
        """As long as this goes on."""
        self._writing.append(writer)
        try:
            yield
        finally:
            self._writing = [each for each in self._writing if each is not writer]

    def is_writing(self, user: DoorUser, ref: str) -> bool:
        """Whether this user is writing this name."""
        return any(covers(writer.refs, ref) for writer in self._of(user))

    def is_bringing(self, user: DoorUser, image_id: str, account: str) -> bool:
        """Whether this user is bringing this image: one of those known, or the one that is made, which has her account
        on its label. The label alone says nothing: anybody may write it.
        """
        hers = self._of(user)
        return any(image_id in writer.images or (writer.makes and account == user.account) for writer in hers)

    def _of(self, user: DoorUser) -> list[Writer]:
        return [writer for writer in self._writing if writer.uid == user.uid]
