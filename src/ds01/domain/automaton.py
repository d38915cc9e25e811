"""Patterns that are followed all at once, a character of the text at a time, with a bit for each place of each.

Whoever writes a pattern must not be able to keep a server busy with it. Python's expressions try one way after another,
and a few wildcards make their number grow without end; here each character costs the same few operations on whole
numbers, whatever the patterns are. That what may be left out is passed in one operation too is Navarro's and Raffinot's
(Flexible Pattern Matching in Strings, 2002, section 4.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from ds01.domain.record import record

Fits = str | Callable[[str], object]
"""One character, or what says of a character whether it fits."""


@record(kw_only=False)
class Step:
    """What may come at a place of a pattern.

    ``many``: any number of such characters; ``optional``: or none at all. ``folders``: nothing, or anything that ends
    with a slash; ``fits`` says nothing then.
    """

    fits: Fits = ""
    many: bool = False
    optional: bool = False
    folders: bool = False


class Automaton:
    """``begins`` and ``ends`` have the first and the last place of each pattern, in the order they were given."""

    def __init__(self, patterns: Iterable[Sequence[Step]]) -> None:
        self.begins: list[int] = []
        self.ends: list[int] = []
        self._many = self._folders = self._optional = 0
        self._letters: dict[str, int] = {}
        self._kinds: dict[Callable[[str], object], int] = {}
        self._taken: dict[str, int] = {}
        place = 0
        for steps in patterns:
            self.begins.append(1 << place)
            for at, step in enumerate(steps, place):
                self._add(step, 1 << at)
            place += len(steps)
            self.ends.append(1 << place)
            place += 1
        self._first = self._optional & ~(self._optional << 1)
        self._past = (self._optional << 1) & ~self._optional
        self._after = (self._optional << 1) & ~self._first

    def _add(self, step: Step, bit: int) -> None:
        if step.folders:
            self._folders |= bit
        elif isinstance(step.fits, str):
            self._letters[step.fits] = self._letters.get(step.fits, 0) | bit
        else:
            self._kinds[step.fits] = self._kinds.get(step.fits, 0) | bit
        self._many |= bit if step.many else 0
        self._optional |= bit if step.optional or step.folders else 0

    def read(self, text: str, begins: int, again: int = 0) -> Iterator[int]:
        """The places that are reached before each character of a text, and at its end. ``begins`` are places to begin
        with, ``again`` those to begin with at every character anew.
        """
        at, inside = self._passed(begins), 0
        for character in text:
            yield at
            taken = at & self._takes(character)
            folders = inside = (at | inside) & self._folders
            at = (taken & self._many) | (taken & ~self._many) << 1 | again
            at = self._passed(at | folders if character == "/" else at)
        yield at

    def _passed(self, at: int) -> int:
        """What may be left out is. In each row of such places, from ``first`` to the one ``past`` it, a borrow runs up
        to the first that is reached, and what it leaves as it was is reached as well.
        """
        reached = at | self._past
        return at | self._after & (~(reached - self._first) ^ reached)

    def _takes(self, character: str) -> int:
        if character not in self._taken:
            taken = self._letters.get(character, 0)
            for fits, places in self._kinds.items():
                taken |= places if fits(character) else 0
            self._taken[character] = taken
        return self._taken[character]


def anything(_: str) -> bool:
    """Every character."""
    return True


def no_slash(character: str) -> bool:
    """Every character of a name between two slashes."""
    return character != "/"
