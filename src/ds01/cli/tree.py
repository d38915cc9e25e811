"""Where each name leads: the folders of ``commands/``, the everyday verbs at the top, and the names of old.

A command has one home (``container launch``) and may be reached by other names, all of them the same code. The
declaration is imported when it is asked for, never before.
"""

from __future__ import annotations

import importlib

from ds01.cli.command import TIERS, Command, Group
from ds01.cli.index import COMMANDS, GROUPS
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.domain.record import record

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TIER_FLAGS = {name for tier in TIERS for name in (tier.name, tier.short) if name}
PACKAGE = "ds01.cli.commands"

SAME = {
    "init": "project init",
    "launch": "container launch",
    "retire": "container retire",
    "list": "container list",
    "setup": "user setup",
    "container deploy": "container launch",
    "project launch": "container launch",
    "check-limits": "limits show",
    "why-refused": "refused",
    "run": "job run",
    "runs": "job list",
    "jobs": "job list",
} | {
    verb: f"container {verb}"
    for verb in (
        "create", "start", "stop", "pause", "unpause", "attach", "exec", "logs", "stats", "cp", "remove",
        "extend", "keep", "undo",
    )
}  # fmt: skip
"""Other names for a command: the same code."""

FRONT = (
    ("Every day", ("init", "launch", "list", "status", "top", "retire")),
    ("When GPUs are short", ("queue", "claim", "cancel", "book", "bookings", "class")),
    ("Batch runs", ("run", "runs", "job")),
    ("Inside and around", ("attach", "exec", "cp", "logs", "stats", "why", "why-refused")),
    ("Editors", ("jupyter", "code", "tensorboard", "tunnel", "ssh", "ssh-config")),
    ("State", ("start", "stop", "pause", "unpause", "remove")),
    ("Time", ("keep", "extend", "undo", "notices")),
    ("Server", ("gpus", "limits", "events", "usage", "doctor", "simulate")),
    ("More", ("setup", "container", "image", "project", "admin", "help", "completion", "install", "uninstall")),
)
"""The front page, ``ds01 --help``."""


@record
class Found:
    """A command or a group, where words led. ``path`` is its home, ``typed`` the words that led there."""

    path: str
    typed: str
    entry: Command | Group
    rest: tuple[str, ...] = ()


def listing(group: str = "") -> tuple[str, ...]:
    """The names directly in a group, sorted: groups and commands, without aliases."""
    inside = [path.rpartition(" ") for path in (*GROUPS, *COMMANDS) if path]
    return tuple(sorted(name for above, _, name in inside if above == group))


def members(group: str = "") -> tuple[str, ...]:
    """Every name that may follow the group's, aliases included."""
    prefix = f"{group} " if group else ""
    aliases = (name[len(prefix) :] for name, home in SAME.items() if name.startswith(prefix) and exists(home))
    return tuple(sorted({*listing(group), *(name for name in aliases if " " not in name)}))


def is_group(path: str) -> bool:
    """Whether the path names a group."""
    return path in GROUPS


def exists(path: str) -> bool:
    """Whether a path names a command or a group."""
    return path in GROUPS or path in COMMANDS


def summary(path: str) -> str:
    """What a command or group is for, in a line; ``""`` when there is none of this name."""
    home = SAME.get(path, path)
    return GROUPS.get(home) or COMMANDS.get(home, "")


def load(path: str) -> Command | Group:
    """The declaration at a path (``""`` is the whole program). Raises KeyError when there is none."""
    home = SAME.get(path, path)
    if is_group(home):
        package = importlib.import_module(".".join([PACKAGE, *home.split()]))
        group: Group = package.GROUP
        return group
    if not exists(home):
        raise KeyError(path)
    *folders, last = home.split()
    command: Command = importlib.import_module(".".join([PACKAGE, *folders, f"{last}_help"])).COMMAND
    return command


def find(words: Sequence[str]) -> Found:
    """Follow words down the tree, as far as they name something. Raises Ds01Error with the nearest name."""
    path = ""
    for count, word in enumerate(words):
        if word.startswith("-"):
            return _arrived(path, words, count)
        if word not in members(path):
            raise _unknown(path, word)
        path = f"{path} {word}".strip()
        if isinstance(load(path), Command):
            return _arrived(path, words, count + 1)
    return _arrived(path, words, len(words))


def _arrived(path: str, words: Sequence[str], used: int) -> Found:
    entry = load(path)
    rest = tuple(words[used:])
    if isinstance(entry, Group) and entry.default and not set(rest) & TIER_FLAGS:
        return Found(path=f"{path} {entry.default}", typed=path, entry=load(f"{path} {entry.default}"), rest=rest)
    return Found(path=SAME.get(path, path), typed=path, entry=entry, rest=rest)


def _unknown(path: str, word: str) -> Ds01Error:
    from ds01.cli import guesses  # only a mistake asks

    if not path and word in guesses.LEAVING:
        return Ds01Error(
            BAD_REQUEST, "You are on the server, not in a container.", reason="There is nothing of DS01 to leave here."
        )
    program = f"ds01 {path}".strip()
    meant = guesses.guess(path, word, members(path))
    return Ds01Error(
        BAD_REQUEST,
        f"'{word}' is no command of '{program}'.",
        hint=f"Did you mean '{program} {meant}'?" if meant else f"{program} --help",
    )


def commands() -> Iterator[tuple[str, Command]]:
    """Every command with its home path, sorted by path."""
    yield from _walk("")


def _walk(group: str) -> Iterator[tuple[str, Command]]:
    for name in listing(group):
        path = f"{group} {name}".strip()
        entry = load(path)
        if isinstance(entry, Command):
            yield path, entry
        else:
            yield from _walk(path)


def groups(group: str = "") -> Iterator[str]:
    """Every group's path, the whole program (``""``) first."""
    yield group
    for name in listing(group):
        path = f"{group} {name}".strip()
        if is_group(path):
            yield from groups(path)


def also(path: str) -> tuple[str, ...]:
    """The other names of the command at this home path."""
    return tuple(sorted(name for name, home in SAME.items() if home == path))
