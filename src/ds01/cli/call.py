"""One call of a command: what every command needs besides its own options."""

from __future__ import annotations

import os
from functools import cached_property

from ds01.cli.talk import Talk
from ds01.domain.record import record

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from ds01.client import Client


@record(frozen=False)
class Call:
    """A running command. ``path`` is its home in the tree (``container launch``)."""

    path: str
    talk: Talk
    standing: str = ""
    """What stands if the user presses Ctrl-C now; a command that goes through steps keeps it current."""
    wanted: str = ""
    """The container the command is about, as it was named; an unknown one gets a "did you mean"."""
    guided: bool = False
    """The questions of the form have been asked: what has no answer is meant to have none."""
    user: str = ""
    """Whose things are meant, when an admin names somebody; ``reason`` is what she tells her."""
    reason: str = ""

    @cached_property
    def client(self) -> Client:
        """ds01d. Imported when a command first needs it: help and completion do not."""
        from ds01.client import connect

        return connect()

    @property
    def whose(self) -> str:
        """What a command typed next needs to mean the same user's things."""
        return f" --user {self.user}" if self.user else ""

    @property
    def home(self) -> str:
        """The user's home."""
        return os.path.expanduser("~")

    @property
    def here(self) -> str:
        """The folder the command was typed in."""
        return os.getcwd()
