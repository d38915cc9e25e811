"""``python -m ds01.daemon.limits_file``: check a limits file, or convert an older one, without a ds01d.

What ``ds01 admin`` runs, as a program of its own: the command line imports no server code. It prints one JSON value of
``ds01.wire``, or the error as ds01d would answer it, and ends with the error's exit code.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from ds01.config.import_file import import_file
from ds01.config.limits import load
from ds01.domain.errors import BAD_LIMITS_FILE, Ds01Error
from ds01.wire.codec import plain
from ds01.wire.errors import show
from ds01.wire.limits_file import ImportedKey, ImportView, LimitsFileView


def main(arguments: Sequence[str] | None = None) -> int:
    """The program."""
    options = _parser().parse_args(arguments)
    try:
        said: object = check(options.file) if options.verb == "check" else convert(options)
    except Ds01Error as error:
        sys.stdout.write(json.dumps(plain(show(error.problem))))
        return int(error.kind.exit)
    sys.stdout.write(json.dumps(plain(said)))
    return 0


def check(file: Path) -> LimitsFileView:
    """Read a file as ds01d would. Raises Ds01Error with every mistake."""
    if not file.exists():
        raise Ds01Error(
            BAD_LIMITS_FILE, f"There is no file {file}.", hint="ds01 admin limits check /etc/ds01/limits.yaml"
        )
    settings = load(file)
    return LimitsFileView(
        file=str(file), groups=tuple(group.name for group in settings.policy.groups),
        users=len(settings.policy.users), exemptions=len(settings.policy.exemptions), gpus=settings.gpus.source,
    )  # fmt: skip


def convert(options: argparse.Namespace) -> ImportView:
    """Convert an older file into a new one."""
    found = import_file(options.file, options.new, replace=options.replace)
    keys = (
        ImportedKey(file=each.file, line=each.line, key=each.key, outcome=each.outcome.value, text=each.text)
        for each in found.accounts
    )
    return ImportView(file=str(options.new), keys=tuple(keys))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ds01.daemon.limits_file", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    checking = verbs.add_parser("check")
    checking.add_argument("file", type=Path)
    importing = verbs.add_parser("import")
    importing.add_argument("file", type=Path)
    importing.add_argument("new", type=Path)
    importing.add_argument("--replace", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
