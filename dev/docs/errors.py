"""docs/reference/errors.md: every way DS01 says no."""

from __future__ import annotations

from ds01.domain.errors import ErrorKind, Exit, kinds

NAME = "errors.md"

_EXITS = {
    Exit.DONE: "done",
    Exit.FAILED: "failed",
    Exit.USAGE: "used wrongly: an option, a name, or a question that nobody could answer",
    Exit.NO_RESOURCE: "nothing free now, or a limit reached",
    Exit.NOT_FOUND: "no such thing",
    Exit.NOT_ALLOWED: "not allowed",
    Exit.UNREACHABLE: "ds01d does not answer",
    Exit.INTERRUPTED: "interrupted with Ctrl-C",
}


def page() -> str:
    """The page."""
    lines = [
        "# Errors",
        "",
        "Written by `make docs` from `src/ds01/domain/errors.py`.",
        "",
        "Every error has a stable code, one sentence, a reason where there is one, and what to type next. With",
        '`--json`, and on the socket of ds01d, it is `{"error": {"code": …, "message": …, "reason": …, "hint": …}}`.',
        "",
        "## Exit codes",
        "",
        "| code | meaning |",
        "|---|---|",
        *(f"| {code.value} | {meaning} |" for code, meaning in _EXITS.items()),
        "",
        "`exec`, `attach` and `run` end with the exit code of the program they ran.",
        "",
        "## Codes",
        "",
        "| code | what it is | exit code | HTTP status |",
        "|---|---|---|---|",
        *(_row(kind) for kind in kinds()),
    ]
    return "\n".join(lines) + "\n"


def _row(kind: ErrorKind) -> str:
    anchor = f'<a id="{kind.code.replace(".", "")}"></a>'
    return f"| {anchor}`{kind.code}` | {kind.title} | {kind.exit.value} | {kind.status} |"
