"""What ``docker top`` may ask of ``ps``, which the engine runs on the host, as root.

The engine adds ``-q`` with the processes of the container. Where ``ps`` fails with it, the engine runs ``ps`` once more
over all of the server, and keeps the rows that have one of these processes in the place of the title PID. So nothing is
served that fails beside ``-q`` (other selections, trees), or that ``ps`` takes for its options without dashes, of
which one shows environments (``-x``, ``-n``, columns beside a fixed format); no column gets a title of its own; and
what comes before the pid is one word in each row. Source: ``ContainerTop`` of moby, ``ps`` of procps-ng 4.0.2.
"""

from __future__ import annotations

import re

from ds01.domain.dockerpolicy.verdict import malformed

WITHOUT_DASHES = frozenset({"aux", "ax", "auxww"})
_LETTERS = frozenset("AaefFjlLcw")
_BESIDE_COLUMNS = frozenset("AaeLw")
_ONE_WORD = frozenset(
    {"ppid", "pgid", "pgrp", "sid", "sess", "uid", "ruid", "euid", "user", "ruser", "euser", "gid", "rgid", "egid",
     "stat", "s", "state", "pri", "ni", "nice", "nlwp", "tty", "tt", "pcpu", "pmem", "vsz", "rss", "time", "cputime",
     "etime", "etimes"}
)  # fmt: skip
_COLUMN = re.compile(r"[A-Za-z0-9_]+(?::[0-9]{1,4})?")


def ps_args(name: str, value: str) -> str:
    """The value, when it is served. Raises RefusedError."""
    if value in WITHOUT_DASHES or _served(value):
        return value
    raise malformed(
        "query.value", f"{name} has a value that is not served",
        "Ask for aux, -ef, or columns in which the pid comes early: -o pid,user,args.",
    )  # fmt: skip


def _served(value: str) -> bool:
    """Options with dashes: letters, and columns behind an ``o``, in the same word or the next."""
    words, letters, columns = iter(value.split(" ")), set[str](), list[list[str]]()
    for word in filter(None, words):
        if word.startswith("-o"):
            columns.append((word.removeprefix("-o") or next(words, "")).split(","))
        elif word.startswith("-") and len(word) > 1:
            letters.update(word[1:])
        else:
            return False
    return letters <= (_BESIDE_COLUMNS if columns else _LETTERS) and (not columns or _have_the_pid(columns))


def _have_the_pid(columns: list[list[str]]) -> bool:
    """Whether the pid is found in each row where its title is."""
    if not all(_COLUMN.fullmatch(column) for each in columns for column in each):
        return False
    names = [column.partition(":")[0] for column in columns[0]]
    return "pid" in names and _ONE_WORD.issuperset(names[: names.index("pid")])
