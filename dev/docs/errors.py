"""docs/reference/errors.md: every way DS01 can say no."""

from __future__ import annotations

from collections.abc import Iterator

from dev.docs import table
from ds01.domain.errors import ErrorKind, Exit, kinds

NAME = "errors.md"
_NOTE = "Written by `make docs` from `src/ds01/domain/errors.py`."

_EXITS = {
    Exit.DONE: "done",
    Exit.FAILED: "failed",
    Exit.USAGE: "called wrongly: a flag, a name, a file with a mistake, a question with nobody to answer it",
    Exit.NO_RESOURCE: "no resource now: no free GPU, a quota, a full disk",
    Exit.NOT_FOUND: "not found",
    Exit.NOT_ALLOWED: "not allowed",
    Exit.UNREACHABLE: "ds01d does not answer",
    Exit.INTERRUPTED: "interrupted (Ctrl-C)",
}

_HEAD = """\
Every error says what happened, why, and what to type next. Its code is stable: scripts may rely on it. With `--json` a
command prints one object, and ds01d answers with the same one and the HTTP status given here:

```json
{"error": {"code": "gpu.quota", "message": "…", "reason": "…", "hint": "ds01 list", "docs": "…", "exit_code": 3}}
```

## Exit codes

`run`, `exec` and `attach` end with the exit code of the command they ran; every other command with one of these:
"""


def page() -> str:
    """The page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield from ("# Errors", "", _NOTE, "", _HEAD)
    yield from table(("exit code", "meaning"), ((str(int(code)), _EXITS[code]) for code in Exit))
    yield from ("", "## All errors", "")
    rows = ((f"[{kind.code}](#{_anchor(kind)})", kind.title, str(kind.status), str(int(kind.exit))) for kind in kinds())
    yield from table(("code", "meaning", "HTTP status", "exit code"), rows)
    yield ""
    for kind in kinds():
        yield from (f"### {kind.code}", "", f"{kind.title}. {kind.remedy}", "")


def _anchor(kind: ErrorKind) -> str:
    return kind.code.replace(".", "")
