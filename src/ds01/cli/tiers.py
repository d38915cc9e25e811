"""The four tiers of help, as text: every one comes from the declaration, none is written twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ds01.cli import tree
from ds01.cli.command import ALWAYS, TIERS, Command, Group, Option, common, exit_codes
from ds01.cli.style import Style, wrap
from ds01.cli.table import pairs


def usage(path: str, command: Command) -> str:
    """The usage line."""
    rest = any(argument.rest for argument in command.arguments)
    arguments = [argument.shown for argument in command.arguments]
    words = ["[OPTIONS]", *arguments] if rest else [*arguments, "[OPTIONS]"]
    return " ".join(["ds01", path, *words])


def help_of(path: str, command: Command, style: Style) -> list[str]:
    """``--help``: usage, options, five examples."""
    lines = [*wrap(f"{command.summary}.", style.width), "", *_usage(path, command, style)]
    lines += _section("Arguments", [(a.shown, f"{a.help}{_default(a.default)}") for a in command.arguments], style)
    own = [option for option in (*command.options, *common(command)) if option not in ALWAYS]
    lines += _section("Options", [_told(option) for option in own], style)
    always = ", ".join(option.shown for option in (*ALWAYS, *TIERS))
    lines += ["", *wrap(f"{style('cyan', 'Always:')} {always}", style.width, hanging="  ")]
    lines += ["", style("cyan", "Examples")]
    lines += pairs([(example, meaning) for example, meaning in command.examples], style, most=44)
    return lines


def info_of(path: str, command: Command, style: Style) -> list[str]:
    """``--info``: everything there is to know about a command."""
    lines = [*wrap(f"{command.summary}.", style.width), "", *_usage(path, command, style), ""]
    lines += wrap(command.about, style.width)
    lines += _section("Arguments", [(a.shown, f"{a.help}{_default(a.default)}") for a in command.arguments], style)
    lines += _section("Options", [_told(option) for option in command.options], style)
    lines += _section("Common options", [_told(option) for option in (*common(command), *TIERS)], style)
    lines += _output(command, style)
    lines += _section("Exit codes", [(str(int(code)), meaning) for code, meaning in exit_codes(command)], style)
    if command.passes_code:
        lines += wrap("Otherwise the exit code is that of the program it ran.", style.width, indent="  ")
    lines += ["", style("cyan", "Examples")]
    lines += pairs([(example, meaning) for example, meaning in command.examples], style, most=44)
    lines += _section("Related", [(f"ds01 {name}", tree.summary(name)) for name in command.related], style)
    return lines


def concepts_of(_: str, entry: Command | Group, style: Style) -> list[str]:
    """``--concepts``: the idea, and the pages that carry it."""
    from ds01.cli.topics import page

    lines = wrap(entry.idea, style.width)
    for topic in entry.topics:
        lines += ["", *page(topic, style)]
    return lines


def group_help(path: str, group: Group, style: Style) -> list[str]:
    """A noun's ``--help``: its verbs. That of the whole program is the front page."""
    return _verbs(path, group, style) if path else front(style)


def _verbs(path: str, group: Group, style: Style) -> list[str]:
    program = f"ds01 {path}".strip()
    lines = [*wrap(f"{group.summary}.", style.width), ""]
    lines += [f"{style('cyan', 'Usage:')} {program} COMMAND [OPTIONS]"]
    listed = [(name, tree.summary(f"{path} {name}".strip())) for name in tree.members(path)]
    lines += _section("Commands", listed, style)
    lines += [
        "",
        *wrap(f"{program} COMMAND --help shows how to use one; {program} --concepts explains the idea.", style.width),
    ]
    return lines


def group_info(path: str, group: Group, style: Style) -> list[str]:
    """A noun's ``--info``: how each of its verbs is typed."""
    lines = _verbs(path, group, style)
    lines += ["", style("cyan", "Usage of each")]
    for name in tree.members(path):
        entry = tree.load(f"{path} {name}".strip())
        if isinstance(entry, Command):
            lines += wrap(usage(f"{path} {name}".strip(), entry), style.width, indent="  ", hanging="      ")
    return lines


def front(style: Style) -> list[str]:
    """``ds01 --help``: the whole program on one screen."""
    lines = [*wrap(f"{tree.summary('')}.", style.width), ""]
    lines += [f"{style('cyan', 'Usage:')} ds01 COMMAND [OPTIONS]"]
    for heading, names in tree.FRONT:
        known = [(name, tree.summary(name)) for name in names if name in tree.members("")]
        lines += _section(heading, known, style)
    lines += ["", *wrap("Every command has --help, --info, --concepts and --guided.", style.width)]
    lines += wrap("New here? Type: ds01 setup, or read: ds01 help start", style.width)
    return lines


def _usage(path: str, command: Command, style: Style) -> list[str]:
    lines = wrap(f"{style('cyan', 'Usage:')} {usage(path, command)}", style.width, hanging="    ")
    home = tree.SAME.get(path, path)
    others = [f"ds01 {name}" for name in sorted({home, *tree.also(home)} - {path})]
    if others:
        lines += wrap(f"{style('cyan', 'Same:')} {', '.join(others)}", style.width, hanging="    ")
    return lines


def _section(title: str, rows: Sequence[tuple[str, str]], style: Style) -> list[str]:
    return ["", style("cyan", title), *pairs(rows, style)] if rows else []


def _told(option: Option) -> tuple[str, str]:
    shown = f"{option.short}, {option.shown}" if option.short else option.shown
    more = "; may be given again" if option.many else ""
    return shown, f"{option.help}{more}{_default(option.default)}"


def _default(text: str) -> str:
    return f" (default: {text})" if text else ""


def _output(command: Command, style: Style) -> list[str]:
    if not command.prints:
        return []
    from ds01.cli.views import fields

    lines = ["", f"{style('cyan', 'Output')} of --json: {command.prints}"]
    return lines + pairs(list(fields(command.prints)), style)


TELLS: dict[str, Callable[[str, Command, Style], list[str]]] = {
    "help": help_of,
    "info": info_of,
    "concepts": concepts_of,
}
GROUP_TELLS: dict[str, Callable[[str, Group, Style], list[str]]] = {
    "help": group_help, "info": group_info, "concepts": concepts_of,
}  # fmt: skip
