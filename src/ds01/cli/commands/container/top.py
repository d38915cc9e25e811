"""``ds01 container top``: the programs running in a container."""

from __future__ import annotations

from ds01.cli import here
from ds01.cli.call import Call
from ds01.cli.shell import docker, running
from ds01.cli.table import Column, table


def run(call: Call, *, name: str | None, user: str | None) -> int:
    """Print the processes."""
    here.whose(call, user)
    container = running(call.client.container(here.meant(call, name), user=call.user))
    titles, processes = docker(call).processes(container.id)
    if call.talk.json:
        call.talk.emit({"titles": titles, "processes": processes})
        return 0
    columns = [Column(title, flexible=title in ("CMD", "COMMAND"), least=16) for title in titles]
    for line in table(columns, processes, call.talk.out):
        call.talk.data(line)
    more = () if call.user else (f"ds01 attach {container.name}",)
    call.talk.next(f"ds01 stats {container.name}{call.whose}", *more)
    return 0
