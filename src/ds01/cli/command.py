"""What a command is called, takes and says: the words of the registry.

A declaration (``commands/…/launch_help.py``) is data only. The parser, the four tiers of help, completion, the
reference page and ``ds01 help commands --json`` all read the same one, so none of them can disagree. It imports
nothing of the command itself, which keeps ``--help`` and completion quick.
"""

from __future__ import annotations

import builtins

from ds01.domain.errors import Exit
from ds01.domain.record import record

TYPE_CHECKING = False  # dataclasses is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from dataclasses import KW_ONLY


@record(kw_only=False)
class Argument:
    """A word that a command takes. ``name`` is the parameter; ``complete`` says what Tab offers.

    ``many`` takes all that are left; ``rest`` takes them as they are, options included (the command of ``exec``).
    ``reads`` names the function of ``ds01.cli.reads`` that turns the text into the value, ``looks`` the one of
    ``ds01.cli.looks`` that a form checks it with.
    """

    name: str
    help: str
    _: KW_ONLY
    required: bool = True
    many: bool = False
    rest: bool = False
    complete: str = ""
    reads: str = "text"
    looks: str = ""
    default: str = ""
    """What is used when it is left out, in words."""
    lacking: tuple[str, ...] = ()
    """A question, an example and a way around, with ``{}`` for the word before: what is said when it is left out, on a
    terminal too, where others are asked for.
    """

    @property
    def key(self) -> str:
        """The parameter's name."""
        return self.name.replace("-", "_")

    @property
    def shown(self) -> str:
        """How it looks in a usage line."""
        text = self.name.upper() + ("..." if self.many or self.rest else "")
        return text if self.required else f"[{text}]"


@record(kw_only=False)
class Option:
    """An option. ``value`` is what it takes (``N``, ``DIR``); empty makes it a flag.

    ``reads`` names the function of ``ds01.cli.reads`` that turns the text into the value, ``looks`` the one of
    ``ds01.cli.looks`` that a form checks it with; ``many`` may be given again.
    """

    name: str
    value: str
    help: str
    _: KW_ONLY
    short: str = ""
    many: bool = False
    choices: tuple[str, ...] = ()
    complete: str = ""
    reads: str = "text"
    looks: str = ""
    optional: bool = False
    """The value may be left out; it is given as ``--wait=1h`` then, and without one the option is True."""
    default: str = ""
    """What holds when it is not given, in words."""

    @property
    def key(self) -> str:
        """The parameter's name; one that Python has already gets an underscore (``all_``, ``from_``)."""
        name = self.name.lstrip("-").replace("-", "_")
        return f"{name}_" if hasattr(builtins, name) or name in ("for", "from", "with") else name

    @property
    def shown(self) -> str:
        """How it looks in a list of options."""
        value = "|".join(self.choices) if self.choices else self.value
        if self.optional:
            return f"{self.name}[={value}]"
        return self.name + (f" {value}" if value else "")


def flag(name: str, does: str, *, short: str = "") -> Option:
    """An option that is there or not."""
    return Option(name, "", does, short=short)


CONTAINER = Argument(
    "name", "the container", required=False, complete="container",
    default="that of the project you are in, or your only one",
)  # fmt: skip
"""The container a command is about."""

USER = Option("--user", "LOGIN", "that of this user; admins only")
REASON = Option("--reason", "TEXT", "why, with --user: its owner reads it in her notice and in 'ds01 why'")


@record(kw_only=False)
class Step:
    """One step of ``--guided``: an explanation, and the option or argument it asks for, if any.

    ``after`` names another one that it rests on: without an answer there it is not asked.
    """

    text: str
    asks: str = ""
    after: str = ""


@record
class Command:
    """One command.

    ``about`` is the longer text of ``--info``; ``idea`` and the pages named in ``topics`` are ``--concepts``;
    ``guide`` is ``--guided``. ``prints`` names the view that ``--json`` prints (``list of ContainerView``).
    ``asks``: it may ask, so it takes ``--yes``. ``changes``: it changes something, so it takes ``--dry-run``.
    ``exits`` are the exit codes beyond those that every command has; ``passes_code``: the exit code is that of the
    program it ran. ``local``: it works without ds01d. ``next`` is what one usually types after it.
    """

    summary: str
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    examples: tuple[tuple[str, str], ...]
    about: str
    idea: str
    topics: tuple[str, ...] = ()
    guide: tuple[Step, ...]
    prints: str = ""
    asks: bool = False
    changes: bool = False
    exits: tuple[Exit, ...] = ()
    passes_code: bool = False
    local: bool = False
    related: tuple[str, ...] = ()
    hidden: bool = False


@record
class Group:
    """A noun. ``default`` is the verb meant when none is given."""

    summary: str
    idea: str
    topics: tuple[str, ...] = ()
    default: str = ""


TIERS = (
    flag("--help", "how to use it, with five examples", short="-h"),
    flag("--info", "everything about it: options, output, exit codes"),
    flag("--concepts", "the idea behind it; does nothing"),
    flag("--guided", "do it step by step, explained"),
)
"""The four tiers of help every command has."""

JSON = flag("--json", "print JSON")
YES = flag("--yes", "answer every question with yes", short="-y")
DRY_RUN = flag("--dry-run", "say what would happen, change nothing")
ALWAYS = (
    flag("--no-input", "ask nothing; fail when an answer is needed"),
    flag("--quiet", "only results and errors", short="-q"),
    flag("--verbose", "say more", short="-v"),
    Option("--color", "WHEN", "colours", choices=("auto", "always", "never"), default="auto"),
    flag("--plain", "no colours, no symbols, one fact a line"),
    Option("--answers", "FILE", "answer the questions of --guided from a file", complete="file"),
)
"""What every command takes."""


def common(command: Command) -> tuple[Option, ...]:
    """The options a command has besides its own."""
    extra = ((JSON,) if command.prints else ()) + ((YES,) if command.asks else ())
    return extra + ((DRY_RUN,) if command.changes else ()) + ALWAYS


def exit_codes(command: Command) -> tuple[tuple[Exit, str], ...]:
    """Every exit code the command may end with, and what it means."""
    codes = {Exit.DONE, Exit.FAILED, Exit.USAGE, Exit.INTERRUPTED, *command.exits}
    if not command.local:
        codes.add(Exit.UNREACHABLE)
    return tuple((code, EXIT_MEANINGS[code]) for code in sorted(codes))


EXIT_MEANINGS = {
    Exit.DONE: "done",
    Exit.FAILED: "failed",
    Exit.USAGE: "the command line is wrong, or an answer is missing",
    Exit.NO_RESOURCE: "no resource now: all in use, or over your limit",
    Exit.NOT_FOUND: "no such thing",
    Exit.NOT_ALLOWED: "not allowed",
    Exit.UNREACHABLE: "ds01d does not answer",
    Exit.INTERRUPTED: "interrupted",
}
