"""What runs in a container for a browser or an editor, as the command line prints it. It crosses no socket."""

from __future__ import annotations

from ds01.domain.record import record


@record
class EditorView:
    """One program in a container: what to type on the laptop (``tunnel``) and what to open there (``url``)."""

    program: str
    container: str
    url: str
    tunnel: str
    port: int
    socket: str
    log: str = ""
    new: bool = False


@record
class CodeView:
    """How VS Code gets into a container: the block for the laptop, the link, the same as a command."""

    container: str
    host: str
    url: str
    command: str
    config: str


@record
class SshConfigView:
    """What goes into ``~/.ssh/config`` of the laptop: the text, and the names that ``ssh`` then knows."""

    config: str
    hosts: tuple[str, ...]
