"""``python -m ds01.daemon.limits_file``: check a limits file, convert an older one, or say what it gives to whom.

What ``ds01 admin`` and ``ds01 simulate`` run, without a ds01d, as a program of its own: the command line imports no
server code. It prints one JSON value of ``ds01.wire``, or the error as ds01d would answer it, and ends with the error's
exit code.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ds01.adapters.nss.directory import NssDirectory
from ds01.config.import_file import import_file
from ds01.config.limits import load
from ds01.domain.container import Door
from ds01.domain.errors import BAD_LIMITS_FILE, Ds01Error
from ds01.domain.limits import effective
from ds01.domain.people import Uid, User
from ds01.domain.settings import Settings
from ds01.wire.codec import plain
from ds01.wire.errors import show
from ds01.wire.limits_file import ImportedKey, ImportView, LimitsFileView, TermsOf, TermsView


def main(arguments: Sequence[str] | None = None) -> int:
    """The program."""
    options = _parser().parse_args(arguments)
    try:
        said: object = _VERBS[options.verb](options)
    except Ds01Error as error:
        sys.stdout.write(json.dumps(plain(show(error.problem))))
        return int(error.kind.exit)
    sys.stdout.write(json.dumps(plain(said)))
    return 0


def check(options: argparse.Namespace) -> LimitsFileView:
    """Read a file as ds01d would. Raises Ds01Error with every mistake."""
    settings = _settings(options.file)
    return LimitsFileView(
        file=str(options.file), groups=tuple(group.name for group in settings.policy.groups),
        users=len(settings.policy.users), exemptions=len(settings.policy.exemptions), gpus=settings.gpus.source,
    )  # fmt: skip


def terms(options: argparse.Namespace) -> TermsView:
    """What the file gives each login, with the Unix groups of those who have an account here: the history of this
    server names such. Of another server's trace Unix groups say nothing.
    """
    settings, now, directory = _settings(options.file), datetime.now(UTC), NssDirectory()
    users = []
    for number, login in enumerate(sys.stdin.read().split("\n")):
        user = directory.by_login(login) or User(uid=Uid(number), gid=number, login=login, home="/")
        limits = effective(settings.policy, user, Door.DS01, now)
        users.append(
            TermsOf(
                user=login, group=limits.group, quota=None if limits.gpus_max is None else float(limits.gpus_max),
                per_job=limits.gpus_per_container, priority=limits.priority, shares=limits.shares,
                group_shares=limits.group_shares,
                runtime=_seconds(limits.runtime), idle=_seconds(limits.idle), hold=_seconds(limits.gpu_hold),
            )
        )  # fmt: skip
    queue = settings.queue
    return TermsView(users=tuple(users), fair=queue.fair, age=queue.age.total_seconds(), guard=queue.guard)


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()


def convert(options: argparse.Namespace) -> ImportView:
    """Convert an older file into a new one."""
    found = import_file(options.file, options.new, replace=options.replace)
    keys = (
        ImportedKey(file=each.file, line=each.line, key=each.key, outcome=each.outcome.value, text=each.text)
        for each in found.accounts
    )
    return ImportView(file=str(options.new), keys=tuple(keys))


def _settings(file: Path) -> Settings:
    if not file.exists():
        raise Ds01Error(
            BAD_LIMITS_FILE, f"There is no file {file}.", hint="ds01 admin limits check /etc/ds01/limits.yaml"
        )
    return load(file)


_VERBS: dict[str, Callable[[argparse.Namespace], object]] = {"check": check, "import": convert, "terms": terms}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ds01.daemon.limits_file", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    checking = verbs.add_parser("check")
    checking.add_argument("file", type=Path)
    giving = verbs.add_parser("terms", help="logins on stdin, one a line")
    giving.add_argument("file", type=Path)
    importing = verbs.add_parser("import")
    importing.add_argument("file", type=Path)
    importing.add_argument("new", type=Path)
    importing.add_argument("--replace", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
