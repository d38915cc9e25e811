"""``ds01 jupyter``: JupyterLab in a container, for the laptop's browser."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.editors.flow import use
from ds01.cli.editors.programs import JUPYTER


def run(call: Call, *, name: str | None, stop: bool, on_server: bool, server: str | None) -> int:
    """Start it where it does not run; say how to get there."""
    return use(call, name, JUPYTER, stop=stop, on_server=on_server, server=server)
