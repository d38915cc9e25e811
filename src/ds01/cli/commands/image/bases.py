"""``ds01 image bases``: what a project can be built on."""

from __future__ import annotations

from ds01.cli import show
from ds01.cli.call import Call
from ds01.cli.table import Column, table
from ds01.wire.images import BaseView

COLUMNS = (
    Column("BASE"),
    Column("SIZE", right=True),
    Column("CUDA"),
    Column("HERE"),
    Column("WHAT IT IS", flexible=True, least=16),
)


def run(call: Call) -> int:
    """Print the catalogue."""
    bases = call.client.build_settings().bases
    if call.talk.json:
        call.talk.emit(bases)
        return 0
    for line in table(COLUMNS, [_row(base) for base in bases], call.talk.out):
        call.talk.data(line)
    if not all(base.here for base in bases):
        call.talk.say("What is not here is fetched when somebody builds on it first; an admin fetches it ahead:")
        call.talk.say("  sudo ds01 admin image prefetch NAME")
    call.talk.say('One is chosen in the project file, under [image]: base = "NAME".')
    call.talk.next("ds01 image update --edit", "ds01 init NAME --base BASE")
    return 0


def _row(base: BaseView) -> list[str]:
    cuda = f"{base.cuda} (driver {base.driver})" if base.cuda and base.driver else base.cuda
    return [
        base.name, show.size(base.size_bytes) if base.size_bytes else "", cuda, "yes" if base.here else "no",
        base.description,
    ]  # fmt: skip
