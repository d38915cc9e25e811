"""From any exception to one sentence and an exit code. No stack trace reaches a user, ever.

A mistake in DS01 itself gets an id and a file with the details, so that it can be reported without being shown.
"""

from __future__ import annotations

import os
import sys

from ds01.cli.style import Style
from ds01.cli.talk import Talk
from ds01.domain.errors import INTERNAL, Exit, Problem


def tell(problem: Problem, talk: Talk) -> int:
    """Say what went wrong, why, and what to do. With ``--json`` the error is data too."""
    style = talk.err
    lines = [f"{style('red', style.sign('✗', 'Error:'))} {problem.message}"]
    lines += problem.reason.splitlines()
    lines += [_hint(problem.hint, style)] if problem.hint else []
    for line in lines:
        talk.tell(line)
    if talk.json:
        from ds01.wire.errors import show

        talk.emit(show(problem))
    return int(problem.kind.exit)


def _hint(hint: str, style: Style) -> str:
    """A hint that is a command is shown as one; a sentence speaks for itself."""
    return f"{style('dim', 'Try:')} {style('bold', hint)}" if hint.startswith(("ds01 ", "docker ")) else hint


def interrupted(talk: Talk, stands: str) -> int:
    """After Ctrl-C: what stands."""
    talk.tell("")
    talk.tell(f"Interrupted. {stands or 'Nothing was left half done.'}")
    return int(Exit.INTERRUPTED)


def unexpected(error: BaseException, talk: Talk) -> int:
    """Something nobody thought of: keep the details for the admin, spare the user."""
    name = os.urandom(4).hex()
    file = _keep(name, error)
    return tell(
        Problem(
            kind=INTERNAL,
            message=f"DS01 made a mistake (id {name}).",
            reason="Your containers and files are as they were before this command, or further along; nothing is lost."
            f" Details are in {file}."
            if file
            else f"{type(error).__name__}: {error}",
            hint=f"Send that file to your admin, or report it with the id {name}.",
        ),
        talk,
    )


def _keep(name: str, error: BaseException) -> str:
    import tempfile
    import traceback

    from ds01.cli.doctoring.redact import command, without

    words, values = command(sys.argv[1:])
    text = f"ds01 {words}\n\n" + without("".join(traceback.format_exception(error)), values)
    state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    for folder in (os.path.join(state, "ds01"), tempfile.gettempdir()):
        path = os.path.join(folder, f"ds01-{name}.log")
        try:
            os.makedirs(folder, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            continue
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        return path
    return ""


def nobody_reads() -> bool:
    """Whether the reader of what this command prints has gone, and not that of some other pipe."""
    import select

    printed = select.poll()
    for stream in (1, 2):
        printed.register(stream, 0)
    return any(told & select.POLLERR for _, told in printed.poll(0))


def quiet_pipe() -> int:
    """The reader has had enough (``ds01 list | head``): end without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(Exit.DONE)
