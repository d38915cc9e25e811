"""``ds01 doctor --report``: what somebody who helps would ask for, as one page that may be pasted anywhere.

It is made as well as it goes: what cannot be asked, because ds01d is down, say, is a line in the page and not its end.
Everything in it goes through ``redact`` before it is shown.
"""

from __future__ import annotations

import os
import platform
import pwd
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ds01 import __version__
from ds01.cli.call import Call
from ds01.cli.doctoring.redact import redact
from ds01.cli.project import me
from ds01.domain.errors import NO_PROJECT, Ds01Error
from ds01.projects import file

EVENTS = 30
MISTAKES = 2
_SECRET_NAME = re.compile(r"(?i)pass|secret|token|key|credential|auth|cookie|session_id|dsn|url$")
_PEOPLE_FROM = 1000


def page(call: Call) -> str:
    """The report, in Markdown, redacted."""
    sections = (
        ("This machine", _machine), ("ds01d", _daemon), ("What the doctor found", _checks),
        ("My containers", _containers), ("My limits", _limits), (f"My last {EVENTS} events", _events),
        ("The project here", _project),
        ("Mistakes of DS01 on this account", _mistakes),
    )  # fmt: skip
    lines = ["# DS01 support report", "", "Secrets, values of variables, names and addresses are taken out."]
    for title, write in sections:
        lines += ["", f"## {title}", "", *_tried(call, write)]
    text = redact("\n".join(lines), values=_values(call), people=_people(call))
    return text.replace(call.home, "~") + "\n"


def _tried(call: Call, write: Callable[[Call], Iterable[str]]) -> list[str]:
    try:
        return list(write(call)) or ["Nothing."]
    except Ds01Error as error:
        problem = error.problem
        return [f"Not known ({problem.kind.code}): {problem.message} {problem.reason}".rstrip()]


def _machine(call: Call) -> Iterator[str]:
    del call
    yield f"- ds01 {__version__}, Python {platform.python_version()}"
    yield f"- Linux {platform.release()} on {platform.machine()}, {_system()}"
    chosen = [name for name in ("DS01_SOCKET", "DOCKER_HOST", "DOCKER_CONTEXT", "XDG_STATE_HOME") if name in os.environ]
    yield f"- set in this shell: {', '.join(chosen) or 'none of the variables that DS01 reads'}"


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown system")
    except OSError:
        return "unknown system"


def _daemon(call: Call) -> Iterator[str]:
    ping = call.client.ping()
    gateway = "up" if ping.gateway else "not known"
    yield f"- version {ping.version}, gateway {gateway}, GPUs {'simulated' if ping.simulated_gpus else 'real'}"


def _checks(call: Call) -> Iterator[str]:
    for check in call.client.doctor().checks:
        todo = f" To do: {check.fix}" if check.fix and check.state != "ok" else ""
        yield f"- {check.state}: {check.name}: {check.text}{todo}"


def _containers(call: Call) -> Iterator[str]:
    for each in call.client.containers():
        reason = f" ({each.reason})" if each.reason else ""
        gpus = f", GPUs {', '.join(each.gpus)}" if each.gpus else ""
        stale = f", stale: {each.stale}" if each.stale else ""
        yield f"- {each.name}: {each.state}{reason}, by {each.door}{gpus}{stale}"


def _limits(call: Call) -> Iterator[str]:
    found = call.client.limits()
    yield f"- group {found.group}"
    yield from (f"- {limit.key}: {limit.value}" for limit in found.limits)


def _events(call: Call) -> Iterator[str]:
    for event in call.client.events(limit=EVENTS):
        yield f"- {event.at} {event.type} {event.outcome}: {event.text}"


def _project(call: Call) -> Iterator[str]:
    folder = file.enclosing(call.here)
    if folder is None:
        raise Ds01Error(NO_PROJECT, "The folder this was typed in is no project.", hint="")
    yield from ("```toml", *file.read(folder).text.splitlines(), "```")


def _mistakes(call: Call) -> Iterator[str]:
    """What ``failures`` wrote down of the last mistakes of DS01 itself."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or os.path.join(call.home, ".local/state"), "ds01")
    found = [path for path in folder.glob("ds01-*.log") if path.is_file() and not path.is_symlink()]
    for path in sorted(found, key=lambda one: one.stat().st_mtime)[-MISTAKES:]:
        yield from (f"{path.name}:", "", "```", *path.read_text("utf-8", "replace").splitlines()[-40:], "```", "")


# what is taken out ---------------------------------------------------------------------------------------


def _values(call: Call) -> set[str]:
    """Values of variables: all of the project's, and those of this shell whose name says secret."""
    found = {value for name, value in os.environ.items() if _SECRET_NAME.search(name)}
    folder = file.enclosing(call.here)
    if folder is not None:
        try:
            run = file.read(folder).tables.get("run", {})
        except Ds01Error:
            return found
        table = run.get("env", {}) if isinstance(run, dict) else {}
        found |= {str(value) for value in table.values()} if isinstance(table, dict) else set()
    return found


def _people(call: Call) -> dict[str, str]:
    """Every login that may stand in it: the accounts of this machine, and whom ds01d names."""
    mine = me().login
    known = {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid >= _PEOPLE_FROM}
    try:
        if call.client.limits().admin:
            known |= {each.owner for each in call.client.containers(everybody=True)}
        known |= {name for event in call.client.events(limit=EVENTS) for name in (event.actor, event.user)}
    except Ds01Error:
        known.discard("")  # without ds01d nobody else is named either
    others = sorted(known - {mine, "", "DS01", "nobody"})
    return {name: f"[user {number}]" for number, name in enumerate(others, 1)} | {mine: "[me]"}
