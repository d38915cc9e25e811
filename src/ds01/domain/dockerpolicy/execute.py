"""``exec``: another command in a container of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Asker, Case, Joined, Kept
from ds01.domain.dockerpolicy.config import environment
from ds01.domain.dockerpolicy.field import Dropped, Field, dropped, judge_struct, kept, must_be_empty
from ds01.domain.dockerpolicy.running import RUNNING
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import Change


@dataclass(frozen=True, kw_only=True)
class ExecPlan:
    """A judged exec, ready to send."""

    body: dict[str, Json]
    changes: tuple[Change, ...]


def _env(case: Case, value: Json) -> Kept | Dropped:
    found: list[Json] = list(environment(case, value))
    return found


_CONSOLE = next(field for field in RUNNING if field.name == "ConsoleSize")

EXEC: tuple[Field, ...] = (
    must_be_empty("Privileged", "exec.privileged", "a privileged exec", "Run it without --privileged."),
    Field(name="Env", rule="create.env", judge=_env, says="kept, without the variables that ask for GPUs"),
    *(
        kept(name, "exec.config", "kept", shape.flag)
        for name in ("AttachStdin", "AttachStdout", "AttachStderr", "Tty", "Detach")
    ),
    kept("Cmd", "exec.config", "kept", lambda field, value: list(shape.texts(field, value, multiline=True))),
    kept("User", "exec.user", "kept; yours when everything in the container runs as you", shape.text),
    kept("WorkingDir", "exec.config", "kept", shape.text),
    kept("DetachKeys", "exec.config", "kept", shape.text),
    dropped("Container", "exec.config", "the path says which; some clients say it again"),
    _CONSOLE,
)
"""Every field of an exec there is a rule for."""

EXEC_START: tuple[Field, ...] = (
    kept("Detach", "exec.config", "kept", shape.flag),
    kept("Tty", "exec.config", "kept", shape.flag),
    *(dropped(name, "exec.config", "dockerode tells itself so") for name in ("hijack", "stdin")),
    _CONSOLE,
)


def judge_exec(body: dict[str, Json], asker: Asker, forced_user: str) -> ExecPlan:
    """``forced_user`` is ``uid:gid`` when the container must run as its owner, else empty."""
    case = Case(asker=asker)
    found = _plain(judge_struct("", body, EXEC, case))
    if forced_user:
        if found.get("User"):
            case.changed("exec.user", f"user set to {forced_user}: everything in this container runs as you")
        found["User"] = forced_user
    found["Privileged"] = False
    return ExecPlan(body=found, changes=tuple(case.changes))


def judge_exec_start(body: dict[str, Json], asker: Asker) -> dict[str, Json]:
    """The body of an exec start; the stream's form follows from it, not from headers."""
    case = Case(asker=asker)
    return _plain(judge_struct("", body, EXEC_START, case))


def _plain(kept: dict[str, Kept]) -> dict[str, Json]:
    """No field of an exec joins another container."""
    for value in kept.values():
        if isinstance(value, Joined) or (isinstance(value, list) and Joined in map(type, value)):
            raise shape.wrong("the exec", "plain values")
    return cast(dict[str, Json], kept)
