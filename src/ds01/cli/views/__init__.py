"""What ``--json`` prints: every field of every view, described once for ``--info`` and the reference page.

A test compares them with the dataclasses of ``ds01.wire``; they are repeated here because the help must not import
those, and because a field's name alone explains nothing.
"""

from __future__ import annotations

from ds01.cli.views import containers, projects, server, sharing

VIEWS = containers.VIEWS | sharing.VIEWS | projects.VIEWS | server.VIEWS


def fields(prints: str) -> tuple[tuple[str, str], ...]:
    """The fields of what a command prints (``list of ContainerView``) with their meanings."""
    return tuple(VIEWS[prints.split()[-1]].items())
