"""What runc was called with: the command, the container, and the few options the guard needs.

The engine and BuildKit write the arguments, never a user; still, what is not understood is refused, because an option
read as a command would skip the rules.
"""

from __future__ import annotations

from ds01.runc.refusal import RefusedError

_GLOBAL_SWITCHES = {"--debug", "--systemd-cgroup"}
_SWITCHES = {"--no-pivot", "--no-new-keyring", "--detach", "-d", "--no-subreaper", "--keep", "--tty", "-t",
             "--ignore-paused", "--no-mount-fallback"}  # fmt: skip
_SHORT = {"-b": "--bundle", "-p": "--process", "-e": "--env", "-u": "--user", "-g": "--additional-gids", "-c": "--cap",
          "-d": "--detach"}  # fmt: skip
CHECKED = {"create", "run", "exec", "restore"}
"""The commands that start a process; all others pass."""


class Call:
    """One call of runc. ``options`` are those of runc itself and of the command, by their long names, ``true`` where
    they need no value; ``at`` is the command's place among the arguments.
    """

    def __init__(self, command: str, container: str, options: dict[str, str], at: int) -> None:
        self.command = command
        self.at = at
        self.container = container
        self.options = options

    def option(self, name: str) -> str:
        """The value of an option that must be there."""
        if not self.options.get(name):
            raise RefusedError(f"a start without {name}, which cannot be checked")
        return self.options[name]


def with_descriptors(arguments: list[str], call: Call, count: int) -> list[str]:
    """The arguments with so many open files more for the container's first process, from descriptor 3 on."""
    return [*arguments[: call.at + 1], f"--preserve-fds={count}", *arguments[call.at + 1 :]]


def read_call(arguments: list[str]) -> Call:
    """Take the arguments apart as runc does: options, the command, its options, the container."""
    options: dict[str, str] = {}
    rest = _options(arguments, _GLOBAL_SWITCHES, options)
    command, at = rest[0] if rest else "", len(arguments) - len(rest)
    if command not in CHECKED:
        return Call(command, "", options, at)
    words = _options(rest[1:], _SWITCHES, options)
    return Call(command, words[0] if words else "", options, at)


def _options(words: list[str], switches: set[str], found: dict[str, str]) -> list[str]:
    """Read the options at the beginning; returns the rest."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        name, given, value = words[at].partition("=")
        at += 1
        if name in switches:
            found[_SHORT.get(name, name)] = value or "true"
            continue
        if not given:
            value = words[at] if at < len(words) else ""
            at += 1
        found[_SHORT.get(name, name)] = value
    return words[at + 1 :] if words[at : at + 1] == ["--"] else words[at:]
