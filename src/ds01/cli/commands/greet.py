"""``ds01 greet``: what one should know at login, and nothing else."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.cli.notices import drawn
from ds01.domain.errors import Ds01Error


def run(call: Call) -> int:
    """Print what one has not been told yet. A ds01d that does not answer is no reason to disturb a login."""
    try:
        found = call.client.unseen_notices()
    except Ds01Error as error:
        call.talk.detail(error.problem.message)
        return 0
    if call.talk.json:
        call.talk.emit(found)
        return 0
    for notice in found:
        for line in [*drawn(notice, call.talk.out), ""]:
            call.talk.data(line)
    return 0
