"""``ds01 tunnel``: a port of the container that something of the user's own listens on, for the laptop."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.editors.flow import use
from ds01.cli.editors.programs import port as port_of
from ds01.domain.errors import BAD_REQUEST, Ds01Error
from ds01.projects import file


def run(call: Call, *, name: str, port: str, stop: bool, on_server: bool, server: str | None) -> int:
    """Lead there."""
    return use(call, name, port_of(_number(call, name, port)), stop=stop, on_server=on_server, server=server)


def _number(call: Call, name: str, text: str) -> int:
    """A port, or the name that the project file gives one."""
    if text.isascii() and text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    project = call.client.container(name).project or name
    named = file.named(project, call.home).run.ports if project in file.names(call.home) else {}
    if text in named:
        return named[text]
    raise Ds01Error(
        BAD_REQUEST, f"'{text}' is no port.",
        reason=f"The project file names {', '.join(named)}." if named else "The project file names none.",
        hint=f"ds01 tunnel {name} 8501",
    )  # fmt: skip
