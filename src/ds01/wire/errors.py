"""The one shape of every error: ``{"error": {…}}``."""

from __future__ import annotations

from ds01.domain.errors import Ds01Error, Problem, kind
from ds01.domain.record import made, record


@record
class ErrorView:
    """One error. ``code`` is stable; ``exit_code`` is what a command ends with; ``hint`` is a command to type."""

    code: str
    message: str
    reason: str = ""
    hint: str = ""
    docs: str = ""
    exit_code: int = 1
    details: dict[str, str] = made(factory=dict)


@record
class ErrorBody:
    """The body of every answer that is not a success."""

    error: ErrorView


def show(problem: Problem) -> ErrorBody:
    """A problem for the wire."""
    return ErrorBody(
        error=ErrorView(
            code=problem.kind.code,
            message=problem.message,
            reason=problem.reason,
            hint=problem.hint,
            docs=f"docs/reference/errors.md#{problem.kind.code.replace('.', '')}",
            exit_code=int(problem.kind.exit),
            details=problem.details,
        )
    )


def error(view: ErrorView) -> Ds01Error:
    """The error a client raises for an error it received."""
    return Ds01Error(kind(view.code), view.message, reason=view.reason, hint=view.hint, **view.details)
