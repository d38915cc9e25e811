"""The registry as data: what ``ds01 help commands --json``, completion and the reference page are made from."""

from __future__ import annotations

from typing import Any

from ds01.cli import tree
from ds01.cli.command import TIERS, Argument, Command, Option, common, exit_codes


def described(path: str, command: Command) -> dict[str, Any]:
    """One command, JSON-ready."""
    return {
        "command": path,
        "aliases": list(tree.also(path)),
        "summary": command.summary,
        "arguments": [_argument(argument) for argument in command.arguments],
        "options": [_option(option) for option in (*command.options, *common(command), *TIERS)],
        "examples": [{"command": example, "meaning": meaning} for example, meaning in command.examples],
        "exit_codes": [{"code": int(code), "meaning": meaning} for code, meaning in exit_codes(command)],
        "prints": command.prints,
        "related": list(command.related),
    }


def _argument(argument: Argument) -> dict[str, Any]:
    return {
        "name": argument.name,
        "help": argument.help,
        "required": argument.required,
        "many": argument.many or argument.rest,
    }


def _option(option: Option) -> dict[str, Any]:
    return {
        "name": option.name,
        "short": option.short,
        "value": option.value,
        "choices": list(option.choices),
        "help": option.help,
        "default": option.default,
        "many": option.many,
    }
